#pragma once

#include <optional>
#include <string>
#include <string_view>

// How AppWebsocket proves who somebody is, the same for all who log in: us at the PBX, the PBX at
// us, a browser with what we have signed for it.
namespace pbx::innovaphone {

// The fields of an AppLogin that its digest covers. Missing ones and null are empty.
struct LoginFields {
  std::string app, domain, sip, guid, dn;
  // A JSON object as the very text that stands in the message. An absent one is no part of what is
  // hashed; an empty one ("{}") is.
  std::optional<std::string> info;
};

// 64 lower-case hex digits: SHA-256 of app:domain:sip:guid:dn[:info]:challenge:password. Nothing is
// escaped, so a colon within a value shifts the ones behind it: whoever signs or verifies for
// somebody else has to refuse it where it matters. Empty if OpenSSL has no SHA-256.
std::string login_digest(const LoginFields& fields, std::string_view challenge,
                         std::string_view password);

// Whether `digest` is that of the fields. Takes as long for a wrong digest as for the right one. An
// `info` with blanks or escapes that need not be counts also as it would be without them: the
// signer hashes it so, whatever a proxy on the way made of it.
bool digest_matches(const LoginFields& fields, std::string_view challenge,
                    std::string_view password, std::string_view digest);

// The same JSON without blanks between its tokens, `\/`, and \u escapes of what need not be
// escaped. Order and numbers stay as they are.
std::string compact_json(std::string_view text);

// Whether `text` may stand within what is signed: no colon, no control character, at most `most`
// bytes.
bool signable(std::string_view text, std::size_t most);

// The longest challenge and the longest name that are signed for somebody. The PBX's own challenges
// have 16 characters.
inline constexpr std::size_t kSignableMax = 64;

}  // namespace pbx::innovaphone
