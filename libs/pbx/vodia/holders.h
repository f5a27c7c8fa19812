#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "pbx/session.h"
#include "pbx/vodia/calls.h"
#include "pbx/vodia/http.h"

namespace pbx::vodia {

// Finds out who holds, where the tenant's list does not tell: over REST, each extension's own calls
// are from its side. Only the administrator may read them. Lives as long as a session.
class Holders {
 public:
  Holders(std::string domain, Http& http, Calls& calls)
      : domain_(std::move(domain)), http_(http), calls_(calls) {}

  void ask(const std::vector<Calls::Doubt>& doubts, Effects& effects);
  bool asking() const { return !questions_.empty(); }
  // Nothing if it is not a reply to this; what has changed otherwise.
  std::optional<Calls::Output> on_http(HttpId id, const base::Result<HttpReply>& reply);

 private:
  struct Question {
    Calls::Doubt doubt;
    std::vector<std::string> holding, on_hold;
    std::size_t open = 0;
  };
  struct Asked {
    HttpId question;  // by its first request
    std::string extension;
  };

  std::string domain_;
  Http& http_;
  Calls& calls_;
  std::map<HttpId, Question> questions_;
  std::map<HttpId, Asked> asked_;
};

}  // namespace pbx::vodia
