// data: text that a model file can hold. In: any bytes. Out: whether they are UTF-8, or a form of them that can be shown.
#pragma once

#include <string>
#include <string_view>

namespace actio::data {

// By RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text);

// On one line of ASCII: other bytes and control characters as \xNN.
std::string escaped(std::string_view text);

}  // namespace actio::data
