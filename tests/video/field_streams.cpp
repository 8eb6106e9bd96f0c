#include "field_streams.h"

#include <algorithm>
#include <cmath>

#include "video/encoder.h"

namespace actio::video {
namespace {

class BitWriter {
 public:
  void bits(std::uint32_t value, int count) {
    while (count-- > 0) {
      if (used_ % 8 == 0) bytes_.push_back('\0');
      if ((value >> count & 1) != 0) bytes_.back() = static_cast<char>(bytes_.back() | 0x80 >> used_ % 8);
      ++used_;
    }
  }
  void golomb(std::uint32_t value) {
    int length = 0;
    while ((value + 1) >> (length + 1) != 0) ++length;
    bits(0, length);
    bits(value + 1, length + 1);
  }
  void signed_golomb(int value) {
    golomb(value > 0 ? static_cast<std::uint32_t>(2 * value - 1) : static_cast<std::uint32_t>(-2 * value));
  }
  void align() {
    while (used_ % 8 != 0) bits(0, 1);
  }
  void end_h264() {
    bits(1, 1);
    align();
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
  std::size_t used_ = 0;
};

const std::string kStart("\0\0\1", 3);

std::string unit(int header, const BitWriter& body) {
  std::string bytes = kStart + static_cast<char>(header);
  int zeros = 0;
  for (const char byte : body.bytes()) {
    if (zeros >= 2 && static_cast<std::uint8_t>(byte) <= 3) {
      bytes += '\3';
      zeros = 0;
    }
    bytes += byte;
    zeros = byte == 0 ? zeros + 1 : 0;
  }
  return bytes;
}

std::string h264_headers(int columns, int rows) {
  BitWriter sequence;
  sequence.bits(77, 8);
  sequence.bits(0, 8);
  sequence.bits(30, 8);
  for (const std::uint32_t value : {0, 4, 0, 4, 2}) sequence.golomb(value);  // numbers and orders of 8 bits, 2 references
  sequence.bits(0, 1);
  sequence.golomb(static_cast<std::uint32_t>(columns - 1));
  sequence.golomb(static_cast<std::uint32_t>(rows / 2 - 1));
  sequence.bits(0b00100, 5);  // fields, not mixed within a frame
  sequence.end_h264();
  BitWriter parameters;
  parameters.bits(0b11, 2);
  parameters.bits(0, 2);
  for (int i = 0; i < 3; ++i) parameters.golomb(0);
  parameters.bits(0, 3);
  for (int i = 0; i < 3; ++i) parameters.golomb(0);
  parameters.bits(0b100, 3);  // slices say how they are deblocked
  parameters.end_h264();
  return unit(0x67, sequence) + unit(0x68, parameters);
}

void h264_slice_header(BitWriter& bits, int type, int frame, int parity, bool second, int references) {
  const bool idr = frame == 0 && !second;
  bits.golomb(0);
  bits.golomb(static_cast<std::uint32_t>(type));
  bits.golomb(0);
  bits.bits(static_cast<std::uint32_t>(frame), 8);
  bits.bits(static_cast<std::uint32_t>(2 | parity), 2);
  if (idr) bits.golomb(0);
  bits.bits(static_cast<std::uint32_t>(2 * frame + second), 8);
  if (type == 0) {
    bits.bits(1, 1);
    bits.golomb(static_cast<std::uint32_t>(references - 1));
    bits.bits(0, 1);
  }
  bits.bits(0, idr ? 2 : 1);  // references leave in the order they came
  bits.signed_golomb(0);
  bits.golomb(1);  // no deblocking
}

int luma(const Tensor& rgb, std::int64_t x, std::int64_t y) {
  const auto* pixel = rgb.data<std::uint8_t>() + (y * rgb.dim(1) + x) * 3;
  return std::clamp((pixel[0] + 2 * pixel[1] + pixel[2]) / 4, 1, 254);
}

// Where a field stands in the list of references of H.264: those of its own parity and the others take turns, and the frame
// that it belongs to comes first.
int h264_reference(const FieldPrediction& prediction, bool second) {
  if (!second) return prediction.same_parity ? 2 * (prediction.frames - 1) : 2 * prediction.frames - 1;
  return prediction.same_parity ? 0 : prediction.frames == 0 ? 1 : 2;
}

// Lines of the field from a block of `parity`.
double lines(const FieldPrediction& prediction, int parity) {
  const int shift = prediction.same_parity ? 0 : 2 * parity - 1;
  return (prediction.motion_y + shift) / 2;
}

int in_units(double value, int per_pixel) { return static_cast<int>(std::lround(value * per_pixel)); }

void mpeg2_motion(BitWriter& bits, int delta) {
  // Vectors are coded in steps of four half pixels, and two bits more.
  if (delta == 0) return bits.bits(1, 1);
  const int size = std::abs(delta) - 1, code = size / 4 + 1;
  if (code > 4) fail_usage("a vector of {} half pixels", delta);
  bits.bits(code == 4 ? 0b11 : 1, code == 4 ? 6 : code + 1);
  bits.bits(delta < 0, 1);
  bits.bits(static_cast<std::uint32_t>(size % 4), 2);
}

std::string mpeg2_picture_headers(int number, std::uint32_t structure, bool top_first) {
  BitWriter picture;
  picture.bits(static_cast<std::uint32_t>(number), 10);
  picture.bits(2, 3);
  picture.bits(0xFFFF, 16);
  picture.bits(0b0111, 4);
  picture.bits(0, 1);
  picture.align();
  BitWriter extension;
  extension.bits(0x833FF, 20);  // two bits more per vector
  extension.bits(0, 2);
  extension.bits(structure, 2);
  extension.bits(top_first, 1);
  extension.bits(0, 9);
  extension.align();
  return kStart + '\0' + picture.bytes() + kStart + '\xB5' + extension.bytes();
}

// All macroblocks of a picture alike: `motion_type`, and what `write` adds for the first one of a row and for the others.
template <typename Write>
std::string mpeg2_slices(int columns, int rows, std::uint32_t motion_type, Write write) {
  std::string bytes;
  for (int row = 0; row < rows; ++row) {
    BitWriter slice;
    slice.bits(8 << 1, 6);
    for (int column = 0; column < columns; ++column) {
      slice.bits(0b1001, 4);  // the next one, predicted, nothing else
      slice.bits(motion_type, 2);
      write(slice, column == 0);
    }
    slice.align();
    bytes += kStart + static_cast<char>(row + 1) + slice.bytes();
  }
  return bytes;
}

std::string mpeg2_first_picture(const FieldStream& stream, const TempDir& dir) {
  EncoderOptions options;
  options.codec = "mpeg2video";
  options.width = static_cast<int>(stream.first.dim(1));
  options.height = static_cast<int>(stream.first.dim(0));
  options.quality = 2;
  options.b_frames = 0;
  options.codec_options = {"flags=+ildct+ilme"};
  Encoder encoder(dir / "first.m2v", options);
  encoder.write(stream.first);
  encoder.close();
  std::string bytes = read_bytes(dir / "first.m2v");
  const std::size_t end = bytes.find(kStart + '\xB7');
  return bytes.substr(0, end);
}

}  // namespace

void write_h264_fields(const std::string& path, const FieldStream& stream) {
  const int columns = static_cast<int>(stream.first.dim(1)) / 16, rows = static_cast<int>(stream.first.dim(0)) / 16;
  std::string bytes = h264_headers(columns, rows);
  for (const bool second : {false, true}) {
    const int parity = second != stream.bottom_first;
    BitWriter slice;
    h264_slice_header(slice, 2, 0, parity, second, 0);
    for (int block = 0; block < columns * rows / 2; ++block) {
      slice.golomb(25);
      slice.align();
      const int left = block % columns * 16, top = block / columns * 16;
      for (int i = 0; i < 256; ++i) {
        slice.bits(static_cast<std::uint32_t>(luma(stream.first, left + i % 16, 2 * (top + i / 16) + parity)), 8);
      }
      for (int i = 0; i < 128; ++i) slice.bits(128, 8);
    }
    slice.end_h264();
    bytes += unit(second ? 0x61 : 0x65, slice);
  }
  for (int frame = 1; frame <= stream.frames; ++frame) {
    for (const bool second : {false, true}) {
      const int parity = second != stream.bottom_first;
      const FieldPrediction& prediction = stream.predictions[static_cast<std::size_t>((frame + 1) % 2)][parity];
      BitWriter slice;
      const int references = second ? 3 : frame == 1 ? 2 : 4;
      h264_slice_header(slice, 0, frame, parity, second, references);
      const int reference = h264_reference(prediction, second);
      for (int block = 0; block < columns * rows / 2; ++block) {
        slice.golomb(0);
        slice.golomb(0);
        if (references == 2) {
          slice.bits(reference == 0, 1);
        } else {
          slice.golomb(static_cast<std::uint32_t>(reference));
        }
        slice.signed_golomb(block == 0 ? in_units(prediction.motion_x, 4) : 0);
        slice.signed_golomb(block == 0 ? in_units(lines(prediction, parity), 4) : 0);
        slice.golomb(0);
      }
      slice.end_h264();
      bytes += unit(0x61, slice);
    }
  }
  write_bytes(path, bytes);
}

void write_mpeg2_fields(const std::string& path, const FieldStream& stream, const TempDir& dir) {
  const int columns = static_cast<int>(stream.first.dim(1)) / 16, rows = static_cast<int>(stream.first.dim(0)) / 16;
  std::string bytes = mpeg2_first_picture(stream, dir);
  for (int frame = 1; frame <= stream.frames; ++frame) {
    for (const bool second : {false, true}) {
      const int parity = second != stream.bottom_first;
      const FieldPrediction& prediction = stream.predictions[static_cast<std::size_t>((frame + 1) % 2)][parity];
      bytes += mpeg2_picture_headers(frame, parity == 0 ? 1 : 2, false);
      bytes += mpeg2_slices(columns, rows / 2, 0b01, [&](BitWriter& slice, bool first) {
        slice.bits(static_cast<std::uint32_t>(prediction.same_parity ? parity : 1 - parity), 1);
        mpeg2_motion(slice, first ? in_units(prediction.motion_x, 2) : 0);
        mpeg2_motion(slice, first ? in_units(lines(prediction, parity), 2) : 0);
      });
    }
  }
  write_bytes(path, bytes + kStart + '\xB7');
}

void write_mpeg2_dual_prime(const std::string& path, const FieldStream& stream, const TempDir& dir) {
  const int columns = static_cast<int>(stream.first.dim(1)) / 16, rows = static_cast<int>(stream.first.dim(0)) / 16;
  std::string bytes = mpeg2_first_picture(stream, dir);
  const FieldPrediction& prediction = stream.predictions[0][0];
  for (int frame = 1; frame <= stream.frames; ++frame) {
    bytes += mpeg2_picture_headers(frame, 3, !stream.bottom_first);
    bytes += mpeg2_slices(columns, rows, 0b11, [&](BitWriter& slice, bool first) {
      mpeg2_motion(slice, first ? in_units(prediction.motion_x, 2) : 0);
      slice.bits(0, 1);
      mpeg2_motion(slice, first ? in_units(prediction.motion_y / 2, 2) : 0);
      slice.bits(0, 1);
    });
  }
  write_bytes(path, bytes + kStart + '\xB7');
}

}  // namespace actio::video
