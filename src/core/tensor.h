// core: a dense row-major array with a shape and an element type, the currency between all stages. It is the public one.
#pragma once

#include <actio/tensor.h>
