#pragma once

#include <memory>

#include <nats/nats.h>

namespace bus {

// cnats' objects, each destroyed by its own function.
template <auto destroy>
struct Destroyer {
  template <class T>
  void operator()(T* it) const {
    destroy(it);
  }
};

using MessageHandle = std::unique_ptr<natsMsg, Destroyer<natsMsg_Destroy>>;
using OptionsHandle = std::unique_ptr<natsOptions, Destroyer<natsOptions_Destroy>>;
using StreamInfoHandle = std::unique_ptr<jsStreamInfo, Destroyer<jsStreamInfo_Destroy>>;

}  // namespace bus
