#include "pbx/innovaphone/codec.h"

#include "pbx/innovaphone/codec_impl.h"

namespace pbx::innovaphone {
namespace {

using base::Errc;

constexpr Read (*kReaders[])(Message&) = {read_base, read_table, read_presence, read_rcc};

}  // namespace

// The order of keys is free, and a type decides how the others are read: so the text is gone
// through twice. Messages are short.
base::Result<Frame> parse(std::string_view text) {
  JsonParser& parser = JsonParser::of_this_thread();
  auto envelope = parser.parse(text);
  if (!envelope) return envelope.error();
  Frame frame;
  std::string mt;
  const bool whole =
      for_each_field(*envelope, [&](std::string_view key, simdjson::ondemand::value& field) {
        if (key == "mt") {
          mt = text_in(field, kIdMax);
        } else if (key == "api") {
          frame.api = text_in(field, kIdMax);
        } else if (key == "src") {
          frame.src = text_in(field, kIdMax);
        }
      });
  if (!whole || !parser.finished() || mt.empty()) return Errc::bad_frame;

  auto fields = parser.parse(text);
  if (!fields) return fields.error();
  Message message{frame.api, mt, *fields};
  for (const auto read : kReaders) {
    auto body = read(message);
    if (!body) return body.error();
    if (!*body) continue;
    frame.body = std::move(**body);
    return frame;
  }
  frame.body = Unknown{std::move(mt)};
  return frame;
}

}  // namespace pbx::innovaphone
