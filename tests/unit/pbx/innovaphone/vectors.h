#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pbx/innovaphone/digest.h"

// The logins of the protocol document, section 2.2, with their digests: published by the vendor (1
// to 5), captured from a PBX of 13r3 (6, 7), and made with programs that are not ours (10 to 17).
namespace pbx::innovaphone::test {

struct Vector {
  int number;
  LoginFields login;
  std::string challenge, password, digest;
};

inline const std::vector<Vector>& vectors() {
  static const std::vector<Vector> kVectors{
      {1,
       {"pbxadminapi", "", "", "", "", std::nullopt},
       "0123456789abcdef",
       "pwd",
       "a205299ed2ef2786c311e0be1b14db343f2cadd906a6ae7b564eee34bda5e9a1"},
      {2,
       {"pbxadminapi", "", "", "", "", "{}"},
       "0123456789abcdef",
       "pwd",
       "57b23fe824b9222a7ac879597cb509bcdc865a1bfeb057d9d12118cef0c3ba34"},
      {3,
       {"pbxadminapi", "", "", "", "", R"({"cn":"Test User"})"},
       "0123456789abcdef",
       "pwd",
       "96db3c3f657230c2b68194becc6d2a77f05de9f79f01fc81e9ca0fb196b10d9d"},
      {4,
       {"innovaphone-users", "example.com", "administrator", "0123456789abcdef0123456789abcdef",
        "Administrator User",
        R"({"appobj":"users","apps":[{"name":"users"},{"name":"profile"}],"appurl":"https://1.2.3.4/example.com/usersapp/innovaphone-users","unlicensed":true})"},
       "0123456789abcdef",
       "pwd",
       "ef1b811ffaa8f9255c39c653d8fb26b4687b2d8c4d9ac91b4821bff6bae3ff44"},
      {5,
       {"test", "test.com", "", "", "", std::nullopt},
       "0",
       "secret",
       "66ee3f52256a8eed034603b98cbaf98890bab6f42adb4a34de928e1885d68293"},
      {6,
       {"searchapi", "fritz.box", "go-search", "3954ae7854c96301c9dd009033400109", "go-search",
        R"({"appobj":"go-search","appdn":"go-search","appurl":"http://192.168.178.29:5000/fritz.box/go/instance/searchapi","pbx":"pbx-main","cn":"go-search","unlicensed":true,"apps":[]})"},
       "16d7dbbcccb63612",
       "go",
       "130f168773ff760701b74e629eca2544c6e62d5354e92e6f821001a982eb8951"},
      {7,
       {"admin", "fritz.box", "go", "8e7ca6fabbc5630170e9009033400109", "go",
        R"({"appobj":"go","appdn":"go","appurl":"http://192.168.178.29:5000/fritz.box/go/instance/admin","pbx":"pbx-main","cn":"go","unlicensed":true,"apps":[]})"},
       "aeaaebe781e80289",
       "go",
       "8f802873dcdee7cef6144017a6112289298ad69e77474a4c37cfdb68a83640c0"},
      {10,
       {"rcc", "", "", "", "", std::nullopt},
       "0123456789abcdef",
       "secret",
       "1f2f900341f0b249a506667430f5c626cab59eff029449bc0de3f7bc6c781888"},
      {11,
       {"rcc", "test.com", "", "", "", std::nullopt},
       "0123456789abcdef",
       "secret",
       "ad9dc5381862c43155a79933572e920aef4a46dc02b4b8c5dc794f0cb446b1bf"},
      {12,
       {"rcc", "", "rcc", "00000000000000000000000000000000", "Admin", std::nullopt},
       "0123456789abcdef",
       "secret",
       "542e30f2e452d83e85ad011fb49b9577d4f13974938c368198d04f7158a007a1"},
      {13,
       {"rcc", "müller.example", "rcc", "00000000000000000000000000000000", "Admin", std::nullopt},
       "aeaaebe781e80289",
       "pässwörd€",
       "fea8ae8b850dc392007a3050976dbf7d9613c960c3a226c3ca0a118f3f5bb920"},
      {14,
       {"rcc", "example.com", "alice", "0123456789abcdef0123456789abcdef", "Alice & Bob <x>",
        R"({"apps":[],"appurl":"https://1.2.3.4/a?b=1&c=2","unlicensed":true})"},
       "0123456789abcdef",
       "secret",
       "2f9d0b594b3002687da7a997ae1ff5ba499b65a34ffc3bb16ac45a682269a7e4"},
      {15,
       {"myapplication", "", "", "", "", "{}"},
       "0123456789abcdef",
       "pwd",
       "8056e5bdeb9eee25d47061036244b13e355b46dacd2f4d4e4827c50c8cb16fa6"},
      {16,
       {"inbound", "example.com", "gateway", "8e7ca6fabbc5630170e9009033400109", "Gateway ä",
        R"({"appobj":"gateway","appdn":"Gateway ä","appurl":"https://gw.example.net/innovaphone/acme/inbound","pbx":"master","cn":"Gateway","apps":[]})"},
       "16d7dbbcccb63612",
       "s3cr3t",
       "a5a4a472e19b634589acbb9fc73c781db41c37e881bfb108edf421bbc32c6e78"},
      {17,
       {"", "", "alice", "", "", std::nullopt},
       "0123456789abcdef",
       "userpw",
       "013644ff636d1bb0d0349450ea5ebe9e537e42d4ea3fb7f1124ede4a13b7b5a4"},
  };
  return kVectors;
}

}  // namespace pbx::innovaphone::test
