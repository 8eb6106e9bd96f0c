// core: how a whole program keeps freed memory. In: nothing. Out: a setting of the C library.
#pragma once

namespace actio {

// Blocks of up to 16 MiB are kept for the next allocation when they are freed: FFmpeg allocates up to a megabyte for the
// motion vectors of every frame, and by default glibc may give it back to the system and fetch it anew each time. For
// programs to call at their start, never for a library. A setting in the environment (MALLOC_...) wins. Nothing where the
// C library is not glibc.
void keep_freed_memory();

// The same for blocks of any size: of a program that trains on the CPU, every step gets its large tensors from the system anew
// without it, page by page, which takes a third of the time of a small network.
void keep_all_freed_memory();

}  // namespace actio
