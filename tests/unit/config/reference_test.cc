#include "config/reference.h"

#include <gmock/gmock.h>

#include "sample.h"

namespace config {
namespace {

using testing::IsEmpty;

constexpr auto kExpected =
    R"md(| Setting | Type | Default | Allowed | Environment | Meaning |
| --- | --- | --- | --- | --- | --- |
|  | text | none |  | `PBXGW_CONFIG` | Which file to read. |
| `name` | text | `gateway` | lower-case letters, digits and '-' | `PBXGW_NAME` | What this instance is called. |
| `workers` | whole number | `2` | 1 to 64 | `PBXGW_WORKERS` | I/O threads. |
| `timeout` | duration | `10s` | 100ms to 1h | `PBXGW_TIMEOUT` | How long to wait. |
| `buffer` | size | `1MiB` | 1KiB to 1GiB | `PBXGW_BUFFER` | How much to hold. |
| `dry_run` | true or false | `false` |  | `PBXGW_DRY_RUN` | Do nothing. |
| `format` | word | `json` | one of json, text | `PBXGW_FORMAT` | Of log lines. |
| `tags` | list of text | none | lower-case letters | `PBXGW_TAGS` | Free words. |
| `nats.address` | address | required | host or host:port, the port else being 4222 | `PBXGW_NATS_ADDRESS` | Where NATS is. |
| `nats.user` | text | none |  | `PBXGW_NATS_USER` | Who we are. |
| `nats.password` | secret | none | or password_file: a path, or password_env: a variable's name | `PBXGW_NATS_PASSWORD` | Of that user. |
| `nats.tls.ca_file` | file | none | an existing file | `PBXGW_NATS_TLS_CA_FILE` | Whom to trust. |
| `tenants` | list of mappings | none | 0 to 3 items |  | The customers. |
| `tenants[].name` | text | required |  |  | Its name. |
| `tenants[].pbx.url` | text | required | a ws:// or wss:// address |  | Its PBX. |
| `tenants[].password` | secret | required | or password_file: a path, or password_env: a variable's name |  | At its PBX. |
| `tenants[].ping` | duration | `20s` | 0ms to 1d |  | Between pings. |
)md";

TEST(Reference, ListsEverySettingOnce) {
  auto document = Document::for_reference();
  document.allow_variable("PBXGW_CONFIG", "Which file to read.");
  EXPECT_TRUE(document.root().documenting());
  sample_from(document.root());
  EXPECT_EQ(document.reference(), kExpected);
  EXPECT_THAT(document.finish(), IsEmpty());
}

TEST(Reference, KeepsItsTableWhateverTheText) {
  const std::vector<Setting> settings{{"a", "text", "x|y", "a|b", "", "One\nor | two."}};
  EXPECT_THAT(markdown_of(settings),
              testing::EndsWith("| `a` | text | `x\\|y` | a\\|b |  | One or \\| two. |\n"));
}

}  // namespace
}  // namespace config
