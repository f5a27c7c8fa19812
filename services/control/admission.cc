#include "control/admission.h"

#include <algorithm>
#include <utility>

#include "control/answer.h"

namespace control {

using base::Errc;

namespace {

struct Row {
  std::size_t Admission::Limits::*most;
  const char* what;
};
constexpr Row kRows[] = {
    // by kind
    {&Admission::Limits::commands_max, "requests"},
    {&Admission::Limits::watches_max, "watches"},
    {&Admission::Limits::signals_max, "media clients"},
    {&Admission::Limits::recordings_max, "recordings"},
};

}  // namespace

std::optional<google::rpc::Status> Admission::enter(Kind kind, std::shared_ptr<Pending> one) {
  const Row& row = kRows[static_cast<std::size_t>(kind)];
  const std::size_t most = limits_.*row.most;
  std::lock_guard lock(mutex_);
  if (closed_) return refuse(Errc::shutting_down);
  Those& here = those(kind);
  if (here.size() >= most) {
    const std::string limit = std::to_string(most);
    const std::string what = row.what;
    return refuse(Errc::too_many_requests, "There are " + limit + ' ' + what + " at work already.",
                  {{"limit", limit}, {"kind", what}});
  }
  here.insert(std::move(one));
  return std::nullopt;
}

void Admission::leave(Kind kind, const std::shared_ptr<Pending>& one) {
  std::function<void()> on_empty;
  {
    std::lock_guard lock(mutex_);
    those(kind).erase(one);
    on_empty = take_on_empty();
  }
  if (on_empty) on_empty();
}

void Admission::close(std::function<void()> on_empty) {
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
    on_empty_ = std::move(on_empty);
    on_empty = take_on_empty();
  }
  if (on_empty) on_empty();
}

bool Admission::is_closed() const {
  std::lock_guard lock(mutex_);
  return closed_;
}

void Admission::abandon(Kind kind) {
  Those copy;
  {
    std::lock_guard lock(mutex_);
    copy = those(kind);
  }
  const auto why = refuse(Errc::shutting_down);
  for (const auto& one : copy) one->abandon(why);
}

std::size_t Admission::count(Kind kind) const {
  std::lock_guard lock(mutex_);
  return those(kind).size();
}

std::function<void()> Admission::take_on_empty() {
  const bool is_empty =
      std::all_of(those_.begin(), those_.end(), [](const Those& those) { return those.empty(); });
  if (!closed_ || !is_empty) return nullptr;
  return std::exchange(on_empty_, nullptr);
}

}  // namespace control
