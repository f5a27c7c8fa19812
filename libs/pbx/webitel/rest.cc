#include "pbx/webitel/rest.h"

#include <algorithm>

#include "pbx/webitel/fields.h"

namespace pbx::webitel {
namespace {

using base::Errc;
using simdjson::ondemand::value;

constexpr std::size_t kErrorIdMax = 120, kErrorDetailMax = 1'000;

}  // namespace

std::optional<RestError> error_of(const HttpReply& reply) {
  if (reply.status >= 200 && reply.status < 300) return std::nullopt;
  RestError error;
  error.code = reply.status;
  JsonParser& parser = JsonParser::of_this_thread();
  auto document = parser.parse(reply.body);
  if (!document) return error;  // of a proxy on the way
  for_each_field(*document, [&](std::string_view key, value& field) {
    const auto text = text_of(field);
    if (!text) return;
    if (key == "code") {
      // An older gateway has gRPC's there, which are below 100.
      const auto code = number_of(*text);
      if (code && *code >= 400 && *code < 600) error.code = static_cast<unsigned>(*code);
    } else if (key == "id") {
      error.id = cut(*text, kErrorIdMax);
    } else if (key == "detail") {
      error.detail = cut(*text, kErrorDetailMax);
    }
  });
  return error;
}

bool is_number(std::string_view id) {
  return !id.empty() && id.size() <= 19 &&
         std::all_of(id.begin(), id.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool was_not_sent(const base::Error& error) {
  for (Errc it : {Errc::too_many_requests, Errc::resolve_failed, Errc::connect_failed,
                  Errc::tls_failed, Errc::certificate_unknown_authority, Errc::certificate_expired,
                  Errc::certificate_wrong_name, Errc::certificate_required}) {
    if (error == it) return true;
  }
  return false;
}

}  // namespace pbx::webitel
