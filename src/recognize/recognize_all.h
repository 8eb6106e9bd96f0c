// recognize: many videos, some of them beside each other, so that every core has work. In: paths. Out: an answer for each, in order.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <variant>

#include "core/error.h"
#include "core/hooks.h"
#include "recognize/recognizer.h"

namespace actio::recognize {

// What was recognised, or why the video could not be read.
using Answer = std::variant<Recognition, Error>;

// Functions of a source are called from one thread at a time, unless the same ones are in the list twice.
//
// Calls `answer` from this thread with the index of each video, in their order. Recognizer::at_once() networks run at a time, and up to `workers`
// more videos are decoded ahead of them, fewer where views are large. Throws: Error(kInterrupted) on hooks.stop; Error(kUsage) where what was asked for makes no sense, which is no
// video's fault; what `answer` throws.
void recognize_all(const Recognizer& recognizer, std::span<const video::Source> videos,
                   const std::function<void(std::size_t, Answer)>& answer, std::int64_t workers, const Hooks& hooks = {});
// Of files.
void recognize_all(const Recognizer& recognizer, std::span<const std::string> paths,
                   const std::function<void(std::size_t, Answer)>& answer, std::int64_t workers, const Hooks& hooks = {});

}  // namespace actio::recognize
