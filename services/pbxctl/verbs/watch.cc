#include <memory>
#include <optional>

#include "pbxctl/target.h"
#include "pbxctl/verbs/declarations.h"
#include "pbxctl/watcher.h"

namespace pbxctl {
namespace {

using namespace pbxgw::v1;

struct Arguments {
  std::vector<std::string> devices, classes, types;
  bool is_call_events_only = false;
  std::string resume;
  bool is_without_snapshot = false;
  std::optional<std::chrono::milliseconds> length;
  std::uint64_t count = 0, expect = 0;
};

WatchOptions options_of(const Session& session, const Arguments& it) {
  WatchOptions options;
  auto& request = options.request;
  request.set_parent(tenant_or_all(session));
  for (const auto& device : it.devices) request.add_device_ids(device);
  for (const auto& text : it.classes) request.add_classes(value_of<EventClass>(text));
  for (const auto& text : it.types) request.add_call_event_types(value_of<CallEventType>(text));
  // Who asks for types of call events does not mean all that happens to devices as well.
  const bool only_calls = it.is_call_events_only || (it.classes.empty() && !it.types.empty());
  if (only_calls) request.add_classes(EVENT_CLASS_CALL);
  request.set_resume_marker(it.resume);
  request.set_skip_snapshot(it.is_without_snapshot);
  options.count = it.count;
  options.expect = it.expect;
  return options;
}

}  // namespace

Action declare_watch(CLI::App& app) {
  auto it = std::make_shared<Arguments>();
  app.add_option("--device", it->devices, "Only what concerns this device; repeatable")
      ->type_name("NUMBER")
      ->allow_extra_args(false);
  auto* classes = app.add_option("--class", it->classes, "Only events of this class; repeatable")
                      ->type_name("")
                      ->check(CLI::IsMember(words<EventClass>()))
                      ->allow_extra_args(false);
  app.add_option("--type", it->types, "Only call events of this type; repeatable")
      ->type_name("TYPE")
      ->check(CLI::IsMember(words<CallEventType>()))
      ->allow_extra_args(false);
  app.add_flag("--call-events-only", it->is_call_events_only, "The same as --class call")
      ->excludes(classes);
  add_duration(
      app, "--for", [it](auto time) { it->length = time; }, "Ends after this time");
  app.add_option("--count", it->count, "Ends after so many events")
      ->type_name("N")
      ->check(CLI::PositiveNumber.description(""));
  app.add_option("--expect", it->expect, "Status 1 if it ends after fewer events")->type_name("N");
  app.add_option("--resume", it->resume,
                 "Goes on after this marker (the resumeMarker of a line of watch --json)")
      ->type_name("MARKER");
  app.add_flag("--no-snapshot", it->is_without_snapshot,
               "Only changes, not what there is at the beginning");
  return [it](Session& session) -> Outcome<void> {
    Stopper stopper(it->length);
    const bool is_all = it->types.empty();
    Watcher watcher(session, options_of(session, *it), EventLines(session.style(), is_all),
                    stopper);
    return watcher.run();
  };
}

}  // namespace pbxctl
