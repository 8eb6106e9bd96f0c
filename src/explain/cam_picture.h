// explain: maps for the eye, as figure 6 of IF-TTN. In: maps and what the network saw. Out: a picture.
#pragma once

#include <string>
#include <vector>

#include "core/inputs.h"
#include "explain/cam.h"

namespace actio::explain {

struct CamPicture {
  Tensor rgb;                        // u8 [H, W, 3]: a line of tiles for each snippet
  std::vector<std::string> columns;  // what each column of tiles shows
};

// A column for each input of the network (motion as a colour wheel), then one for each head: its map over the picture, from blue (nothing) to red (the head's
// largest). A pair's map lies over its first snippet; the last snippet has that of the pair before.
CamPicture draw(const Cam& cam, const Inputs& inputs);

// A PNG. Throws: Error(kFailed) where it cannot be written; nothing is left of it then.
void write_png(const std::string& path, const Tensor& rgb);

}  // namespace actio::explain
