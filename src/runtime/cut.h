// runtime: cuts a network where the number of rows changes. In: a NetSpec. Out: one piece per granularity and the segment
// ops between them, so that a stream can run each piece only for what is new.
#pragma once

#include <span>
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

// A value that the caller gets.
struct Result {
  std::string name;  // as it was asked for
  net::Granularity granularity = net::Granularity::kClip;
  std::string value;  // an output port of the piece of this granularity: the name, or what lies behind a dropout or a stage
  Shape shape;        // of one row
};

struct Cut {
  Subgraph snippet, pair, clip;  // a piece that nothing needs is empty
  std::vector<SegmentOp> ops;    // in the order of the nodes
  std::vector<Result>
      results;  // by name, each once: spec.scores, spec.output, the heads that are not for training alone, `keep`

  const Subgraph& piece(net::Granularity granularity) const;
};

// Leaves out what no result needs; dropout disappears. `keep`: nodes or stages whose values are results as well.
// Throws: Error as net::infer; Error(kUsage) for a name in `keep` that is neither, naming the nearest. Threads: safe.
Cut cut(const net::NetSpec& spec, std::span<const std::string> keep = {});

}  // namespace actio::runtime
