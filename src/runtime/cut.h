// runtime: cuts a network where the number of rows changes. In: a NetSpec. Out: one piece per granularity and the segment
// ops between them, so that a stream can run each piece only for what is new.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "net/netspec.h"
#include "runtime/plan.h"

namespace actio::runtime {

// Turns a value of one piece into an input of a later one.
struct SegmentOp {
  net::Op op = net::Op::kSegmentDiff;
  std::string name;   // of the node; an input port of the piece `to`
  std::string input;  // an output port of the piece `from`
  net::Granularity from = net::Granularity::kSnippet;
  net::Granularity to = net::Granularity::kPair;
};

struct Cut {
  Subgraph snippet, pair, clip;                             // a piece that nothing needs is empty
  std::vector<SegmentOp> ops;                               // in the order of the nodes
  std::map<std::string, std::string, std::less<>> results;  // what the caller asked for -> the clip's output port

  const Subgraph& piece(net::Granularity granularity) const;
};

// Keeps what spec.scores, spec.output and the heads that are not for training alone need; dropout disappears. Throws: Error as net::infer.
Cut cut(const net::NetSpec& spec);

}  // namespace actio::runtime
