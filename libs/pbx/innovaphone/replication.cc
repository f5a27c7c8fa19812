#include "pbx/innovaphone/replication.h"

#include <utility>

#include "base/overloaded.h"
#include "pbx/innovaphone/texts.h"

namespace pbx::innovaphone {
namespace {

// Never pwd. `add` and `del` say that we might write rows; all known programs do, and a publisher
// that does not want that does not start.
constexpr std::string_view kColumns =
    R"({"guid":{},"h323":{},"cn":{},"dn":{},"e164":{},"node":{},"loc":{},"pseudo":{},"hide":{},)"
    R"("cds":{},"cfpr":{}})";
// Users only. A request for twenty types has crashed a PBX of 13r3.
constexpr std::string_view kTypes = R"([""])";

}  // namespace

bool Replication::concerns(const Frame& frame) {
  return frame.api == kTableUsers && (frame.src.empty() || frame.src == kReplicationSrc);
}

std::string Replication::ask(Waits what, TimePoint now) {
  waits_ = what;
  deadline_ = now + options_.limit;
  if (what == Waits::next) return message("ReplicateNext", kTableUsers, kReplicationSrc);
  return message("ReplicateStart", kTableUsers, kReplicationSrc,
                 {{"add", true},
                  {"del", true},
                  Field::json("columns", kColumns),
                  Field::json("pseudo", kTypes)});
}

std::string Replication::begin(TimePoint now) {
  state_ = State::listing;
  rows_ = 0;
  return ask(Waits::start, now);
}

Replication::Step Replication::give_up(std::string why) {
  state_ = State::unavailable;
  waits_ = Waits::nothing;
  deadline_ = TimePoint::max();
  Step step;
  step.unavailable = std::move(why);
  return step;
}

Replication::Step Replication::on_frame(const Frame& frame, TimePoint now) {
  Step step;
  const auto on_result = [&](const Result& it) {
    if (it.mt != "ReplicateStart" || waits_ != Waits::start) return;
    if (!it.error.empty()) {
      step = give_up("the PBX does not give its directory: " + it.error);
    } else {
      step.text = ask(Waits::next, now);
    }
  };
  const auto on_next = [&](const NextRow& it) {
    if (waits_ != Waits::next) return;  // too late: the next one may have been asked for by then
    if (!it.error.empty()) {
      step = give_up("the PBX's directory broke off: " + it.error);
    } else if (!it.row) {
      state_ = State::complete;
      waits_ = Waits::nothing;
      deadline_ = TimePoint::max();
      step.complete = true;
    } else if (++rows_ > options_.most) {
      step = give_up("the PBX's directory does not end");
    } else {
      if (!it.row->guid.empty()) step.row = it.row;
      step.text = ask(Waits::next, now);
    }
  };
  std::visit(base::overloaded{
                 [&](const Result& it) { on_result(it); },
                 [&](const NextRow& it) { on_next(it); },
                 [&](const RowAdded& it) { step.row = it.row; },
                 [&](const RowUpdated& it) { step.row = it.row; },
                 [&](const RowDeleted& it) { step.deleted = it.guid; },
                 [](const auto&) {},
             },
             frame.body);
  return step;
}

Replication::Step Replication::on_tick(TimePoint now) {
  if (now < deadline_) return {};
  return give_up(waits_ == Waits::start
                     ? "the PBX does not answer PbxTableUsers: is TableUsers ticked on the App "
                       "object?"
                     : "the PBX's directory broke off: it does not answer any more");
}

}  // namespace pbx::innovaphone
