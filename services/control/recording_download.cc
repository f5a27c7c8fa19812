#include "control/recording_download.h"

#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "control/grpc_status.h"

namespace control {

namespace asio = boost::asio;
using base::Errc;
using pbxgw::v1::HistoryRequest;
using pbxgw::v1::HistoryResult;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
constexpr milliseconds kCloseWait{2'000};
constexpr milliseconds kGoodbyeWait{30'000};

google::rpc::Status another_question() {
  return refuse(Errc::internal, "The connector answered another question.");
}

}  // namespace

RecordingDownload::RecordingDownload(DownloadTools tools, asio::any_io_executor executor,
                                     std::shared_ptr<RecordingStream> stream, wire::RecordName name,
                                     Caller caller)
    : tools_(tools),
      executor_(std::move(executor)),
      stream_(std::move(stream)),
      name_(std::move(name)),
      caller_(std::move(caller)),
      wake_(executor_, steady_clock::time_point::max()) {}

asio::awaitable<void> RecordingDownload::run() {
  const auto self = shared_from_this();
  tools_.metrics.recordings_opened.add();
  RecordingStream::Handlers handlers;
  handlers.on_space = [weak = weak_from_this(), executor = executor_] {
    asio::post(executor, [weak] {
      if (const auto download = weak.lock()) download->wake_.cancel();
    });
  };
  handlers.on_gone = [weak = weak_from_this(), executor = executor_] {
    asio::post(executor, [weak] {
      const auto download = weak.lock();
      if (!download) return;
      download->gone_ = true;
      download->over_ = true;
      download->wake_.cancel();
    });
  };
  stream_->handle(std::move(handlers));

  auto fetching = fetch();
  const google::rpc::Status status = co_await std::move(fetching);
  stream_->finish(to_grpc(status));
  if (!transfer_.empty()) {
    HistoryRequest question;
    question.mutable_close()->set_transfer_id(transfer_);
    auto closing = ask(std::move(question), kCloseWait);
    co_await std::move(closing);
  }
  while (!gone_) {
    const auto before = stream_->progress();
    wake_.expires_after(kGoodbyeWait);
    co_await wake_.async_wait(kTuple);
    // A caller who has stopped reading does not even read the status.
    const bool late = wake_.expiry() <= steady_clock::now();
    if (!gone_ && late && stream_->progress() == before) stream_->break_off();
  }
}

void RecordingDownload::abandon(const google::rpc::Status& why) {
  stream_->finish(to_grpc(why));
  asio::post(executor_, [self = shared_from_this()] {
    self->over_ = true;
    self->wake_.cancel();
  });
}

// All of it. What is returned is told to the caller, if there still is one.
asio::awaitable<google::rpc::Status> RecordingDownload::fetch() {
  HistoryRequest question;
  question.mutable_open()->set_recording_id(name_.id);
  auto opening = ask(std::move(question), tools_.limits.open_wait);
  auto opened = co_await std::move(opening);
  if (!opened) co_return opened.error();
  if (!opened->has_opened()) co_return another_question();
  transfer_ = opened->opened().transfer_id();
  if (over_) co_return refuse(Errc::shutting_down);

  const std::string name = wire::recording_name(name_.tenant, name_.id);
  const Admitted& right = *caller_.right;
  Asked what;
  what.resource = name;
  what.begins = true;
  tools_.audit.note(asker_of(right.identity, caller_.address, caller_.traceparent), right.rpc, what,
                    /*admitted=*/true, {});
  pbxgw::v1::Recording recording;
  recording.set_name(name);
  recording.set_content_type(opened->opened().content_type());
  if (opened->opened().has_size_bytes()) recording.set_size_bytes(opened->opened().size_bytes());
  stream_->push(std::move(recording));

  for (unsigned number = 1;; ++number) {
    auto waiting = wait_for_space();
    const bool has_space = co_await std::move(waiting);
    if (over_) co_return refuse(Errc::shutting_down);
    if (!has_space) {
      tools_.metrics.recordings_too_slow.add();
      co_return refuse(Errc::timed_out, "Nothing was read for too long: the download is over.");
    }
    auto reading = read(number);
    auto result = co_await std::move(reading);
    if (!result) {
      transfer_.clear();  // there is none any more
      co_return result.error();
    }
    if (!result->has_part()) co_return another_question();
    tools_.metrics.recording_bytes.add(static_cast<double>(result->part().data().size()));
    stream_->push(result->part().data());
    if (result->part().last()) {
      transfer_.clear();
      co_return google::rpc::Status();
    }
  }
}

// A part that did not come is asked for once more: the owner has kept it.
asio::awaitable<Answer<HistoryResult>> RecordingDownload::read(unsigned number) {
  HistoryRequest question;
  question.mutable_read()->set_transfer_id(transfer_);
  question.mutable_read()->set_number(number);
  auto asking = ask(question, tools_.limits.part_wait);
  auto first = co_await std::move(asking);
  if (first || over_) co_return first;
  const std::string reason = reason_of(first.error());
  if (reason != "TIMED_OUT" && reason != "BUS_UNAVAILABLE") co_return first;
  auto again = ask(std::move(question), tools_.limits.part_wait);
  auto second = co_await std::move(again);
  co_return second;  // if it is an error, the newer one: the owner may be gone by now
}

asio::awaitable<Answer<HistoryResult>> RecordingDownload::ask(HistoryRequest question,
                                                              milliseconds wait) {
  pbxgw::v1::OwnerRequest request;
  request.set_tenant(wire::tenant_name(name_.tenant));
  request.set_traceparent(caller_.traceparent);
  request.mutable_history()->Swap(&question);
  auto asking = tools_.core.gateway.ask(caller_.right, name_.tenant, std::move(request),
                                        steady_clock::now() + wait);
  auto answer = co_await std::move(asking);
  if (!answer) co_return answer.error();
  co_return std::move(*answer->mutable_history_result());
}

// False if the caller takes nothing for too long.
asio::awaitable<bool> RecordingDownload::wait_for_space() {
  while (!over_ && !stream_->has_space()) {
    const auto until = stream_->progress() + tools_.limits.patience;
    if (steady_clock::now() >= until) co_return false;
    wake_.expires_at(until);
    co_await wake_.async_wait(kTuple);
  }
  co_return true;
}

}  // namespace control
