// api: what a public VideoSource holds.
#pragma once

#include <actio/video.h>

#include "video/source.h"

namespace actio {

struct VideoSource::Impl {
  video::Source source;
};

}  // namespace actio
