#include "opencv.h"

#include <opencv2/dnn.hpp>

#include <algorithm>
#include <vector>

namespace actio::testing {
namespace {

cv::Mat mat_of(const Tensor& tensor) {
  const std::vector<int> sizes(tensor.shape().begin(), tensor.shape().end());
  cv::Mat mat(static_cast<int>(sizes.size()), sizes.data(), CV_32F);
  std::ranges::copy(tensor.values<float>(), mat.ptr<float>());
  return mat;
}

Tensor tensor_of(const cv::Mat& mat) {
  Tensor tensor(Shape(mat.size.p, mat.size.p + mat.dims));
  std::copy_n(mat.ptr<float>(), mat.total(), tensor.data<float>());
  return tensor;
}

}  // namespace

TensorMap run_opencv(const std::string& path, const TensorMap& inputs) {
  cv::dnn::Net net = cv::dnn::readNetFromONNX(path);
  net.setPreferableBackend(cv::dnn::DNN_BACKEND_OPENCV);
  for (const auto& [name, tensor] : inputs) net.setInput(mat_of(tensor), name);
  const std::vector<cv::String> names = {"scores", "probabilities"};
  std::vector<cv::Mat> outputs;
  net.forward(outputs, names);
  TensorMap results;
  for (std::size_t i = 0; i < names.size(); ++i) results[names[i]] = tensor_of(outputs.at(i));
  return results;
}

}  // namespace actio::testing
