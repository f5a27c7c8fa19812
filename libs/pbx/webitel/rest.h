#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "pbx/session.h"

namespace pbx::webitel {

// Numbers the requests to the tenant's REST API, and dresses them. One for a session: all its parts
// take their numbers here, so that each reply is one part's only.
class Rest {
 public:
  // `where`: the host, and the path that everything is below ("/api"), without a slash at its end.
  Rest(Handshake where, std::string token, std::chrono::milliseconds limit)
      : where_(std::move(where)), token_(std::move(token)), limit_(limit) {}

  // `path` begins with a slash, and has its query. `body`: JSON, or nothing. `limit`: of a request
  // that waits for somebody to pick up; nothing: the usual one.
  SendHttp make(std::string method, const std::string& path, std::string body = {},
                std::optional<std::chrono::milliseconds> limit = std::nullopt) {
    SendHttp send{++last_, std::move(method), where_, std::move(body), limit.value_or(limit_)};
    send.where.target += path;
    auto& headers = send.where.headers;
    headers.emplace_back("Accept", "application/json");
    headers.emplace_back("X-Webitel-Access", token_);
    if (!send.body.empty()) headers.emplace_back("Content-Type", "application/json");
    return send;
  }
  const Handshake& where() const { return where_; }
  // What the PBX says of an error may repeat the token.
  bool repeats_token(std::string_view text) const {
    return !token_.empty() && text.find(token_) != std::string_view::npos;
  }

 private:
  Handshake where_;
  std::string token_;  // of the service user; a secret
  std::chrono::milliseconds limit_;
  HttpId last_ = 0;
};

// What went wrong, in the PBX's words. `code` is the body's if there is one: the gateway in front
// of the engine answers 500 for most of them (webitel.md 5.1).
struct RestError {
  unsigned code = 0;
  std::string id;      // a stable dotted key: "store.sql_call.get_instance.app_error"
  std::string detail;  // free text; may repeat a token (webitel.md 5.4), so never told as it is
};
// Nothing if the reply is a success.
std::optional<RestError> error_of(const HttpReply& reply);

// A decimal number of 64 bits at most: the only ids that go into paths.
bool is_number(std::string_view id);

// It was certainly not carried out.
bool was_not_sent(const base::Error& error);

}  // namespace pbx::webitel
