#pragma once

#include "pbxctl/table.h"
#include "pbxctl/words.h"
#include "pbxgw/v1/tenant.pb.h"

namespace pbxctl {

// The state of a link as a word, green if it is up.
inline Cell link_cell(const pbxgw::v1::LinkStatus& link) {
  const auto state = link.state();
  const bool is_up = state == pbxgw::v1::LINK_STATE_UP;
  const bool is_down =
      state == pbxgw::v1::LINK_STATE_UNOWNED || state == pbxgw::v1::LINK_STATE_BACKING_OFF;
  return {word(state), is_up ? Color::green : is_down ? Color::red : Color::yellow};
}

}  // namespace pbxctl
