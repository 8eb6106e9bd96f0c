// core: how long work tells how far it is. The library only calls; the program decides what to show.
#pragma once

#include <actio/hooks.h>
