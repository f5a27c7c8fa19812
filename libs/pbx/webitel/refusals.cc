#include "pbx/webitel/refusals.h"

#include <algorithm>

namespace pbx::webitel {
namespace {

using base::Errc;
using call::Refusal;

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return is_upper(c) || (c >= 'a' && c <= 'z'); }

// webitel.md 2.4 and 5: ids that mean more, or something else, than their codes.
struct Row {
  std::string_view id;
  Errc why;
  const char* sentence;
};
constexpr Row kRows[] = {
    {"api.web_socket_router.not_authenticated.app_error", Errc::credentials_refused,
     "the PBX no longer takes the service user's token"},
    {"app.session.unauthenticated", Errc::credentials_refused,
     "the PBX no longer takes the service user's token"},
    {"api.context.session_expired.app_error", Errc::credentials_refused,
     "the PBX no longer takes the service user's token"},
    {"api.context.permissions.license", Errc::permission_denied,
     "the service user has no licence for this"},
    {"call.get_client_by_id.not_found", Errc::call_not_found,
     "the PBX does not have the call's media node any more"},
    {"store.sql_call.get_instance.app_error", Errc::call_not_found,
     "the PBX does not have this call any more"},
    {"external.blind_transfer_ext.valid", Errc::call_not_found,
     "the PBX does not have this call any more"},
    {"external.bridge_call.app_error", Errc::pbx_refused,
     "the PBX could not join the two: both other parties have to be connected"},
    {"app.call.create.valid.busy", Errc::pbx_refused,
     "the user is being offered a call of a queue"},
    {"app.call.create.valid.from", Errc::pbx_refused, "the PBX makes no calls from this extension"},
    {"app.call.create.valid.agent", Errc::pbx_refused, "the agent is in a call"},
    {"app.call.transfer", Errc::incorrect_state,
     "a queue's call cannot be transferred before it is answered"},
    {"User.valid.agent_id", Errc::resource_not_found, "the user is no agent"},
    {"app.agent.login.app_err", Errc::pbx_refused, "the PBX did not make the agent ready"},
    {"app.agent.logout.app_err", Errc::pbx_refused, "the PBX did not log the agent off"},
    {"app.agent.pause.app_err", Errc::pbx_refused, "the PBX did not grant the pause"},
    {"app.agent.set_pause.not_allow", Errc::pbx_refused,
     "the agent's team does not allow this pause now"},
    // We always name a time.
    {"grpc.call.search_history", Errc::internal, "the PBX did not take the search"},
};

// A stable key, as long as it looks like one.
std::string told_id(const RestError& error) {
  const bool right = !error.id.empty() && error.id.size() <= 80 &&
                     std::all_of(error.id.begin(), error.id.end(), [](char c) {
                       return is_letter(c) || is_digit(c) || c == '.' || c == '_' || c == '-';
                     });
  return right && is_tellable(error.id) ? ": " + error.id : std::string();
}

std::string word_after(std::string_view text, std::string_view key) {
  const auto at = text.find(key);
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + key.size());
  const auto end =
      std::find_if_not(text.begin(), text.end(), [](char c) { return is_letter(c) || c == '_'; });
  return std::string(text.begin(),
                     std::min(end, text.begin() + std::min<std::ptrdiff_t>(40, std::ssize(text))));
}

}  // namespace

std::string permission_of(std::string_view detail) {
  std::string permission = word_after(detail, "permission=");
  if (permission.empty()) return permission;
  if (const std::string access = word_after(detail, "access="); !access.empty()) {
    permission += ' ' + access;
  }
  return permission;
}

std::string switch_cause_of(std::string_view detail) {
  // A run of capitals with an underscore in it: no token looks so, and no number.
  for (auto it = detail.begin(); it != detail.end();) {
    it = std::find_if(it, detail.end(), is_upper);
    const auto end =
        std::find_if_not(it, detail.end(), [](char c) { return is_upper(c) || c == '_'; });
    const bool alone = (it == detail.begin() || !(is_letter(it[-1]) || is_digit(it[-1]))) &&
                       (end == detail.end() || !(is_letter(*end) || is_digit(*end)));
    const auto size = end - it;
    if (alone && size <= 40 && std::find(it, end, '_') != end) return std::string(it, end);
    it = end;
  }
  return {};
}

bool is_tellable(std::string_view sentence) {
  constexpr std::size_t kSentenceMax = 200, kWordMax = 15;
  if (sentence.empty() || sentence.size() > kSentenceMax) return false;
  std::size_t run = 0;
  bool digits = false;
  for (char c : sentence) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F || c == '@') return false;
    if (!is_letter(c) && !is_digit(c)) {
      run = 0;
      digits = false;
      continue;
    }
    digits = digits || is_digit(c);
    if (++run > kWordMax && digits) return false;
    if (run > 3 * kWordMax) return false;
  }
  return true;
}

Refusal refusal_of(const RestError& error) {
  for (const Row& row : kRows) {
    if (row.id == error.id) return {row.why, row.sentence};
  }
  if (error.id == "external.new_call.app_error") {
    const std::string cause = switch_cause_of(error.detail);
    return {Errc::pbx_refused, cause.empty() ? "the PBX could not make the call"
                                             : "the PBX could not make the call: " + cause};
  }
  switch (error.code) {
    case 401: return {Errc::credentials_refused, "the PBX does not take the service user's token"};
    case 403: {
      const std::string permission = permission_of(error.detail);
      return {Errc::permission_denied,
              permission.empty() ? "the service user is not permitted this" + told_id(error)
                                 : "the service user lacks the permission " + permission};
    }
    case 404: return {Errc::call_not_found, "the PBX does not have this call any more"};
    case 412: return {Errc::permission_denied, "the service user has no licence for this"};
    case 429: return {Errc::too_many_requests, "the PBX takes no more requests for now"};
    default: break;
  }
  const std::string id = told_id(error);
  return {Errc::pbx_refused, id.empty()
                                 ? "the PBX answered with status " + std::to_string(error.code)
                                 : "the PBX refused it" + id};
}

Refusal refusal_of(const base::Error& error, bool changes) {
  if (error == Errc::too_many_requests) {
    return {Errc::too_many_requests, "too many requests to the PBX are under way"};
  }
  if (was_not_sent(error)) {
    return {Errc::pbx_disconnected, "the PBX's HTTP port could not be reached"};
  }
  if (changes) return {Errc::outcome_unknown, "it was sent, and the PBX did not answer"};
  if (error == Errc::timed_out) return {Errc::timed_out, "the PBX did not answer in time"};
  if (error == Errc::message_too_big) {
    return {Errc::message_too_big, "the PBX's answer was too long"};
  }
  if (error == Errc::bad_frame) return {Errc::pbx_refused, "the PBX did not speak HTTP"};
  return {Errc::pbx_disconnected, "the PBX broke its answer off"};
}

bool may_have_happened(const RestError& error) {
  return error.id.empty() && (error.code == 502 || error.code == 504);
}

}  // namespace pbx::webitel
