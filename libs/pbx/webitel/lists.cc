#include "pbx/webitel/lists.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace pbx::webitel {
namespace {

using base::Errc;

constexpr const char* kPaths[] = {"/call_center/users", "/call_center/agents", "/calls/active"};

// Whether there is another page that is to be read; nothing if it makes no sense.
template <class Item>
std::optional<bool> take_page(base::Result<Page<Item>> page, std::vector<Item>& items,
                              Lists::Done& done) {
  if (!page) return std::nullopt;
  done.unread += page->unread;
  if (page->cut) done.coverage = Coverage::cut;
  const bool more = page->next && !page->items.empty();
  const std::size_t room = kRowsMax - items.size();
  const bool full = page->items.size() > room || (more && page->items.size() == room);
  if (full) {
    page->items.resize(room);
    done.coverage = Coverage::cut;
  }
  std::move(page->items.begin(), page->items.end(), std::back_inserter(items));
  return more && !full;
}

}  // namespace

void Lists::ask(What what, Effects& effects) {
  Reading& it = readings_[static_cast<std::size_t>(what)];
  SendHttp send = rest_.make("GET", kPaths[static_cast<std::size_t>(what)] +
                                        ("?page=" + std::to_string(it.page)) +
                                        "&size=" + std::to_string(kPageSize));
  it.request = send.id;
  effects.push_back(std::move(send));
}

void Lists::read(What what, TimePoint now, Effects& effects) {
  if (reading(what)) return;
  Reading& it = readings_[static_cast<std::size_t>(what)];
  it.page = 1;
  it.done = {};
  it.done.what = what;
  it.done.asked = now;
  ask(what, effects);
}

bool Lists::waits_for(HttpId id) const {
  return id != 0 && std::any_of(readings_.begin(), readings_.end(),
                                [&](const Reading& it) { return it.request == id; });
}

std::optional<std::variant<Lists::Done, Lists::Failed>> Lists::on_http(
    HttpId id, const base::Result<HttpReply>& reply, Effects& effects) {
  Reading& it = *std::find_if(readings_.begin(), readings_.end(),
                              [&](const Reading& each) { return each.request == id; });
  it.request = 0;
  const What what = it.done.what;
  if (!reply) return Failed{what, reply.error()};
  if (const auto error = error_of(*reply)) return Failed{what, Errc::pbx_refused, error->code};
  std::optional<bool> more;
  switch (what) {
    case What::users: more = take_page(parse_users(reply->body), it.done.users, it.done); break;
    case What::agents: more = take_page(parse_agents(reply->body), it.done.agents, it.done); break;
    case What::calls: more = take_page(parse_legs(reply->body), it.done.legs, it.done); break;
  }
  if (!more) return Failed{what, Errc::bad_frame};
  if (*more && it.page < kPagesMax) {
    ++it.page;
    ask(what, effects);
    return std::nullopt;
  }
  if (*more) {
    it.done.coverage = Coverage::cut;
  } else if (it.page > 1 && it.done.coverage == Coverage::whole) {
    it.done.coverage = Coverage::paged;
  }
  return std::move(it.done);
}

}  // namespace pbx::webitel
