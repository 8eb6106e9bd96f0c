// api: what a public Model holds: the library's own, and the name that it has in messages.
#pragma once

#include <actio/model.h>

#include <memory>
#include <string>

#include "net/model_file.h"

namespace actio {

struct Model::Impl {
  net::Model model;
  std::string name;
};

}  // namespace actio
