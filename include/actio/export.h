// actio: what the shared libraries show; everything else in them is hidden.
#pragma once

#define ACTIO_API __attribute__((visibility("default")))
