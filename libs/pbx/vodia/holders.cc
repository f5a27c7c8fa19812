#include "pbx/vodia/holders.h"

#include <algorithm>
#include <utility>

#include "pbx/vodia/codec.h"

namespace pbx::vodia {
namespace {

// At once; of further calls it stays unknown who holds.
constexpr std::size_t kQuestionsMax = 16;

}  // namespace

void Holders::ask(const std::vector<Calls::Doubt>& doubts, Effects& effects) {
  for (const Calls::Doubt& doubt : doubts) {
    // With three it would still not be clear whom `onhold` is by.
    if (!http_.has_admin() || doubt.extensions.size() != 2) continue;
    if (questions_.size() >= kQuestionsMax) return;
    Question question{doubt, {}, {}, doubt.extensions.size()};
    std::optional<HttpId> first;
    for (const std::string& extension : doubt.extensions) {
      SendHttp send = http_.make(list_calls(account_of(extension, domain_)), Http::As::admin);
      if (!first) first = send.id;
      asked_.emplace(send.id, Asked{*first, extension});
      effects.push_back(std::move(send));
    }
    questions_.emplace(*first, std::move(question));
  }
}

std::optional<Calls::Output> Holders::on_http(HttpId id, const base::Result<HttpReply>& reply) {
  const auto asked = asked_.find(id);
  if (asked == asked_.end()) return std::nullopt;
  const Asked what = std::move(asked->second);
  asked_.erase(asked);
  const auto found = questions_.find(what.question);
  Question& question = found->second;
  if (reply && reply->status == 200) {
    if (const auto calls = parse_calls(reply->body)) {
      for (const CallEntry& call : *calls) {
        if (call.id != question.doubt.id) continue;
        if (call.progress == Progress::holding) question.holding.push_back(what.extension);
        if (call.progress == Progress::on_hold) question.on_hold.push_back(what.extension);
      }
    }
  }
  if (--question.open > 0) return Calls::Output{};
  const Question settled = std::move(question);
  questions_.erase(found);
  // A server that says the same of both sides says it of the call.
  if (settled.holding.size() == 1) {
    return calls_.on_holder(settled.doubt.key, settled.holding.front());
  }
  if (settled.holding.empty() && settled.on_hold.size() == 1) {
    const auto& both = settled.doubt.extensions;
    return calls_.on_holder(settled.doubt.key,
                            both.front() == settled.on_hold.front() ? both.back() : both.front());
  }
  return Calls::Output{};
}

}  // namespace pbx::vodia
