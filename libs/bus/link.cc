#include "bus/link.h"

#include <string_view>
#include <utility>

#include <openssl/err.h>

#include "bus/status.h"

namespace bus {

namespace {

constexpr std::int64_t kJetStreamWait = 5'000;  // ms

Link& link_of(void* closure) { return *static_cast<Link*>(closure); }

// With TLS 1.3 a server refuses our certificate after the handshake, as we see it; cnats then knows
// only that the connection has ended, OpenSSL knows why.
std::string alert_of_server() {
  const auto last = ::ERR_peek_last_error();
  const char* text = last != 0 ? ::ERR_reason_error_string(last) : nullptr;
  return text != nullptr ? std::string("; ") + text : std::string();
}

}  // namespace

std::string new_unique() {
  natsInbox* inbox = nullptr;
  if (natsInbox_Create(&inbox) != NATS_OK) return {};
  const std::string_view text = inbox;
  std::string unique(text.substr(text.rfind('.') + 1));
  natsInbox_Destroy(inbox);
  return unique;
}

natsStatus Link::bind(natsOptions* options) {
  natsStatus status = loop_->bind(options);
  if (status == NATS_OK) {
    status = natsOptions_SetLameDuckModeCB(
        options,
        [](natsConnection*, void* closure) {
          link_of(closure).on_event_(ConnectionEvent::lame_duck, {});
        },
        this);
  }
  if (status == NATS_OK) {
    status = natsOptions_SetErrorHandler(
        options,
        [](natsConnection* connection, natsSubscription*, natsStatus what, void* closure) {
          const char* last = nullptr;
          natsConnection_GetLastError(connection, &last);
          link_of(closure).on_event_(
              what == NATS_NOT_PERMITTED ? ConnectionEvent::not_permitted : ConnectionEvent::failed,
              last && *last ? last : natsStatus_GetText(what));
        },
        this);
  }
  if (status == NATS_OK) {
    status = natsOptions_SetClosedCB(
        options,
        [](natsConnection* connection, void* closure) {
          const char* last = nullptr;
          natsConnection_GetLastError(connection, &last);
          auto& self = link_of(closure);
          self.on_event_(ConnectionEvent::disconnected, last ? last : "");
          const std::lock_guard lock(self.mutex_);
          self.closed_ = true;
          self.changed_.notify_all();
        },
        this);
  }
  return status;
}

std::shared_ptr<Link> Link::connect(std::uint64_t id, boost::asio::any_io_executor executor,
                                    std::shared_ptr<std::atomic<std::uint64_t>> up,
                                    const Options& options,
                                    std::shared_ptr<const Identity> identity, OnEvent on_event,
                                    AfterRead after_read, natsStatus& status, std::string& why) {
  const auto handle = make_options(options, *identity, why);
  if (!handle) {
    status = NATS_INVALID_ARG;
    return nullptr;
  }
  std::shared_ptr<Link> link(new Link(id, std::move(identity), std::move(on_event)));
  link->loop_ =
      std::make_shared<EventLoop>(id, std::move(executor), std::move(up), std::move(after_read));
  ::ERR_clear_error();
  status = link->bind(handle.get());
  if (status == NATS_OK) status = natsConnection_Connect(&link->handle_, handle.get());
  if (status == NATS_OK) {
    link->ping_inbox_ = options.inbox_prefix + "." + new_unique();
    status = natsConnection_Subscribe(
        &link->pings_, link->handle_, link->ping_inbox_.c_str(),
        [](natsConnection*, natsSubscription*, natsMsg* echo, void*) { natsMsg_Destroy(echo); },
        nullptr);
  }
  if (status == NATS_OK) return link;
  why = explain(options, detail_of(status) + alert_of_server());
  return nullptr;
}

Link::~Link() {
  shut();
  natsSubscription_Destroy(pings_);
  jsCtx_Destroy(context_);
  natsConnection_Destroy(handle_);
}

void Link::shut() {
  loop_->stop();
  if (handle_ == nullptr) return;
  natsConnection_Close(handle_);
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return closed_; });
}

std::string Link::url() const {
  char text[256] = "";
  natsConnection_GetConnectedUrl(handle_, text, sizeof(text));
  return text;
}

jsCtx* Link::context() {
  if (context_ == nullptr) {
    jsOptions options;
    jsOptions_Init(&options);
    options.Wait = kJetStreamWait;
    if (natsConnection_JetStream(&context_, handle_, &options) != NATS_OK) context_ = nullptr;
  }
  return context_;
}

void Link::ping() { natsConnection_Publish(handle_, ping_inbox_.c_str(), nullptr, 0); }

}  // namespace bus
