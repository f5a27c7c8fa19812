#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>
#include <cstdint>

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/util/json_util.h>

#include "io/cloudevents/v1/cloudevents.pb.h"
#include "wire/events.h"
#include "wire/subjects.h"
#include "wire/text.h"
#include "wire/token.h"

namespace wire {
namespace {

using google::protobuf::io::CodedOutputStream;
namespace util = google::protobuf::util;
namespace v1 = pbxgw::v1;

constexpr std::string_view kSpecVersion = "1.0";
constexpr std::string_view kSchema = "https://pbxgw.dev/schemas/pbxgw.v1.Event";
constexpr std::string_view kTypeUrl = "type.googleapis.com/pbxgw.v1.Event";

// The field numbers of cloudevents.proto. All its fields that we use are length-delimited, and have
// one byte of tag.
enum Field : std::uint32_t {
  kMapKey = 1,
  kMapValue = 2,
  kAnyTypeUrl = 1,
  kAnyValue = 2,
  kId = 1,
  kSource = 2,
  kSpecVersionField = 3,
  kType = 4,
  kAttributes = 5,
  kProtoData = 8,
  kCeString = 3,
  kCeUri = 5,
  kCeTimestamp = 7,
};

struct Attribute {
  std::string_view name;
  Field kind;
  std::string_view value;
};

std::size_t field_size(std::size_t value_size) {
  return 1 + CodedOutputStream::VarintSize32(static_cast<std::uint32_t>(value_size)) + value_size;
}

std::size_t attribute_size(const Attribute& attribute) {
  return field_size(attribute.name.size()) + field_size(field_size(attribute.value.size()));
}

// Writes into memory whose size was reckoned before.
class Writer {
 public:
  explicit Writer(void* at) : at_(static_cast<std::uint8_t*>(at)) {}

  void start(Field field, std::size_t size) {
    constexpr std::uint32_t kLengthDelimited = 2;
    *at_++ = static_cast<std::uint8_t>(field << 3 | kLengthDelimited);
    at_ = CodedOutputStream::WriteVarint32ToArray(static_cast<std::uint32_t>(size), at_);
  }
  void text(Field field, std::string_view value) {
    start(field, value.size());
    at_ = std::copy(value.begin(), value.end(), at_);
  }
  void attribute(const Attribute& attribute) {
    start(kAttributes, attribute_size(attribute));
    text(kMapKey, attribute.name);
    start(kMapValue, field_size(attribute.value.size()));
    text(attribute.kind, attribute.value);
  }
  // Its ByteSizeLong() was asked before.
  void message(Field field, std::size_t size, const google::protobuf::MessageLite& value) {
    start(field, size);
    at_ = value.SerializeWithCachedSizesToArray(at_);
  }
  const void* at() const { return at_; }

 private:
  std::uint8_t* at_;
};

void append_number(std::string& out, std::uint64_t number) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

void write_id(const std::string& token, const call::Event& event, std::string& out) {
  out = token;
  out += '.';
  append_number(out, event.epoch);
  out += '.';
  append_number(out, event.sequence);
}

// As many digits as any 64-bit number has, so that the order of texts is that of numbers.
std::array<char, 20> padded(std::uint64_t number) {
  std::array<char, 20> out;
  for (auto digit = out.rbegin(); digit != out.rend(); ++digit, number /= 10) {
    *digit = static_cast<char>('0' + number % 10);
  }
  return out;
}

const std::string& subject_of(const v1::Event& event) {
  if (event.has_call_event()) return event.call_event().call().name();
  if (event.has_device_event()) return event.device_event().device().name();
  return event.tenant();
}

// A URI's authority: whatever cannot stand in one is percent-encoded.
std::string authority(std::string_view domain) {
  std::string out;
  for (char c : domain) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (plain || std::string_view("-._~:[]").find(c) != std::string_view::npos) {
      out += c;
    } else {
      constexpr char kHex[] = "0123456789ABCDEF";
      out += '%';
      out += kHex[static_cast<std::uint8_t>(c) >> 4];
      out += kHex[static_cast<std::uint8_t>(c) & 0xf];
    }
  }
  return out;
}

base::Result<v1::Event> decode_json(std::string_view bytes) {
  util::JsonParseOptions options;
  options.ignore_unknown_fields = true;  // CloudEvents may have further attributes
  v1::JsonCloudEvent cloud_event;
  const google::protobuf::StringPiece piece(bytes.data(), bytes.size());
  const bool read = util::JsonStringToMessage(piece, &cloud_event, options).ok();
  if (!read || !cloud_event.has_data()) return base::Errc::bad_frame;
  return std::move(*cloud_event.mutable_data());
}

base::Result<v1::Event> decode_protobuf(std::string_view bytes) {
  io::cloudevents::v1::CloudEvent cloud_event;
  v1::Event event;
  const bool read = cloud_event.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) &&
                    cloud_event.proto_data().type_url() == kTypeUrl &&
                    event.ParseFromString(cloud_event.proto_data().value());
  if (!read) return base::Errc::bad_frame;
  return event;
}

}  // namespace

const char* content_type(Format format) {
  return format == Format::json ? "application/cloudevents+json"
                                : "application/cloudevents+protobuf";
}

EventEncoder::EventEncoder(base::TenantId tenant, std::string domain, Format format)
    : tenant_(std::move(tenant)),
      token_(to_token(tenant_.str())),
      source_("//" + authority(domain) + "/pbx/tenants/" + token_),
      format_(format) {}

std::string EventEncoder::message_id(const call::Event& event) const {
  std::string id;
  write_id(token_, event, id);
  return id;
}

std::string_view EventEncoder::encode(const call::Event& event) {
  to_proto(tenant_, event, *cloud_event_.mutable_data());
  write_id(token_, event, id_);
  type_ = "dev.pbxgw.";
  type_ += event_class(event);
  type_ += ".v1.";
  type_ += event_name(event);
  return format_ == Format::json ? encode_json() : encode_protobuf();
}

// The envelope is written by hand around the event: a CloudEvent with its map and its Any would
// copy everything twice, and take three times as long. event_encoder_test.cc compares the two.
std::string_view EventEncoder::encode_protobuf() {
  const v1::Event& event = cloud_event_.data();
  const auto& received = event.receive_time();
  std::array<char, 32> time;  // two varints
  const std::size_t time_size = received.ByteSizeLong();
  assert(time_size <= time.size());
  received.SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(time.data()));
  const auto sequence = padded(event.sequence());
  const std::array<Attribute, 5> attributes{{
      {"subject", kCeString, subject_of(event)},
      {"time", kCeTimestamp, {time.data(), time_size}},
      {"dataschema", kCeUri, kSchema},
      {"sequence", kCeString, {sequence.data(), sequence.size()}},
      {"partitionkey", kCeString, token_},
  }};

  const std::size_t event_size = event.ByteSizeLong();
  const std::size_t any_size = field_size(kTypeUrl.size()) + field_size(event_size);
  std::size_t size = field_size(id_.size()) + field_size(source_.size()) +
                     field_size(kSpecVersion.size()) + field_size(type_.size()) +
                     field_size(any_size);
  for (const auto& attribute : attributes) size += field_size(attribute_size(attribute));

  if (buffer_.size() < size) buffer_.resize(size);
  Writer out(buffer_.data());
  out.text(kId, id_);
  out.text(kSource, source_);
  out.text(kSpecVersionField, kSpecVersion);
  out.text(kType, type_);
  for (const auto& attribute : attributes) out.attribute(attribute);
  out.start(kProtoData, any_size);
  out.text(kAnyTypeUrl, kTypeUrl);
  out.message(kAnyValue, event_size, event);
  assert(out.at() == buffer_.data() + size);
  return {buffer_.data(), size};
}

std::string_view EventEncoder::encode_json() {
  const v1::Event& event = cloud_event_.data();
  const auto sequence = padded(event.sequence());
  cloud_event_.mutable_specversion()->assign(kSpecVersion);
  cloud_event_.set_id(id_);
  cloud_event_.set_source(source_);
  cloud_event_.set_type(type_);
  cloud_event_.set_subject(subject_of(event));
  *cloud_event_.mutable_time() = event.receive_time();
  cloud_event_.mutable_dataschema()->assign(kSchema);
  cloud_event_.set_datacontenttype("application/json");
  cloud_event_.mutable_sequence()->assign(sequence.data(), sequence.size());
  cloud_event_.set_partitionkey(token_);
  buffer_.clear();
  [[maybe_unused]] const auto status = util::MessageToJsonString(cloud_event_, &buffer_);
  assert(status.ok());  // all text is UTF-8, and all times are in range
  return buffer_;
}

base::Result<v1::Event> decode_event(std::string_view bytes) {
  return bytes.starts_with('{') ? decode_json(bytes) : decode_protobuf(bytes);
}

}  // namespace wire
