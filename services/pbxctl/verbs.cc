#include <array>

#include "pbxctl/verb.h"
#include "pbxctl/verbs/declarations.h"

namespace pbxctl {
namespace {

constexpr const char* kLook = "Look";
constexpr const char* kCalls = "Make and end calls";
constexpr const char* kHandle = "Handle a call";
constexpr const char* kSet = "Set up a device";
constexpr const char* kSetUp = "Set up a PBX";
constexpr const char* kOther = "Other";

constexpr auto kVerbs = std::to_array<Verb>({
    {"tenants", kLook, "The tenants, and whether their PBXs are linked",
     "Lists the tenants with the state of the link to each PBX, why it is not up, and which\n"
     "connector holds it. With a NAME: all that is known of that one. Answers even while PBXs and\n"
     "connectors are down.",
     "pbxctl tenants\npbxctl tenants acme", declare_tenants},
    {"capabilities", kLook, "What a tenant's PBX can do",
     "Lists for each verb whether this PBX offers it, how its outcome is known (acknowledged: the\n"
     "PBX answers; observed: the gateway waits until the effect is seen), and what to know.",
     "pbxctl capabilities acme", declare_capabilities},
    {"devices", kLook, "The devices, and what they are doing",
     "Lists the devices of a tenant, or of all tenants: whether each can be reached, what it is\n"
     "doing, its features, and whether commands can act on it. With a DEVICE: only that one.",
     "pbxctl devices --tenant acme\npbxctl devices 201", declare_devices},
    {"calls", kLook, "The calls that exist now",
     "Lists the calls of a tenant, or of all tenants: who talks with whom, for how long, and what\n"
     "each party could do now. With a CALL: its connections one by one.",
     "pbxctl calls --device 201\npbxctl calls c12-7", declare_calls},
    {"watch", kLook, "What happens, as it happens",
     "Shows what there is, then every change: one line for each event, until Ctrl-C. If the\n"
     "connection is lost it goes on where it stopped. Of events marked (resync) the PBX did not\n"
     "tell when they happened, only that they had; those marked (inferred) it left out, and the\n"
     "gateway filled them in.",
     "pbxctl watch --tenant acme --device 201\n"
     "pbxctl watch --type delivered --type established --count 10\n"
     "pbxctl watch --json --for 1m",
     declare_watch},
    {"history", kLook, "The calls that are over",
     "Lists calls as the PBX's own records have them, the newest first: when, who with whom, for "
     "how\n"
     "long they talked, and the names of recordings. Not every PBX keeps records that can be read.",
     "pbxctl history --since 2h --device 201\n"
     "pbxctl history --since 2026-11-01 --until 2026-11-02T12:00:00Z --count 500",
     declare_history},
    {"recording", kLook, "Fetches a recording",
     "Writes the sound of a recording, by its name in `history`, to a file, which must not exist "
     "yet,\n"
     "or with - to the output. A file that could not be fetched to its end is removed again.",
     "pbxctl recording 17 --output call.wav\npbxctl recording 17 --output - > call.wav",
     declare_recording},

    {"call", kCalls, "Starts a call",
     "Starts a call from a device to a number. With many PBXs the device's own phone rings first,\n"
     "and the number is dialled when it is answered.",
     "pbxctl call 201 +34600111222\npbxctl call 201 202 --data order=4711", declare_call},
    {"answer", kCalls, "Answers a ringing call",
     "Answers an alerting connection, as lifting the handset would.",
     "pbxctl answer 202\npbxctl answer c12-7-2", declare_answer},
    {"clear", kCalls, "Takes one device out of its call",
     "Ends one connection; with two parties that ends the call.",
     "pbxctl clear 201\npbxctl clear c12-7-1", declare_clear},
    {"clear-call", kCalls, "Ends a call for everybody", "Ends all connections of a call.",
     "pbxctl clear-call c12-7", declare_clear_call},
    {"pickup", kCalls, "Takes a call that rings elsewhere",
     "DEVICE answers what is ringing at another device.",
     "pbxctl pickup 203 201     # 203 takes the call that rings at 201", declare_pickup},

    {"hold", kHandle, "Puts a connection on hold",
     "Parks one device's part of its call; the others may go on.", "pbxctl hold 201", declare_hold},
    {"retrieve", kHandle, "Takes a connection back from hold",
     "Ends the hold of one device's part of its call.", "pbxctl retrieve 201", declare_retrieve},
    {"alternate", kHandle, "Swaps the active and the held call",
     "Holds the active connection of a device and retrieves its held one, in one step.",
     "pbxctl alternate 201\npbxctl alternate c12-8-1 c12-7-1", declare_alternate},
    {"reconnect", kHandle, "Ends the active call, back to the held one",
     "Clears the active connection of a device and retrieves its held one.", "pbxctl reconnect 201",
     declare_reconnect},
    {"consult", kHandle, "Holds, and calls somebody else",
     "Holds a connection and calls a number from the same device: the first half of an attended\n"
     "transfer; transfer, conference or reconnect are the second.",
     "pbxctl consult 201 203", declare_consult},
    {"transfer", kHandle, "Joins the active and the held call, and leaves",
     "Joins the two calls of a device, which leaves: the second half of an attended transfer.",
     "pbxctl transfer 201", declare_transfer},
    {"blind-transfer", kHandle, "Sends an answered call elsewhere",
     "Transfers a connection to a number without asking there first.",
     "pbxctl blind-transfer 201 203", declare_blind_transfer},
    {"deflect", kHandle, "Sends a ringing call elsewhere",
     "Sends an alerting connection to another number.", "pbxctl deflect 201 203", declare_deflect},
    {"conference", kHandle, "Joins the active and the held call, and stays",
     "Joins the two calls of a device to one with all parties.", "pbxctl conference 201",
     declare_conference},
    {"park", kHandle, "Moves a connection to a park slot",
     "Parks a connection in a slot, from which any device can take it.",
     "pbxctl park 201\npbxctl park 201 71", declare_park},
    {"digits", kHandle, "Sends DTMF digits",
     "Sends digits in a call, as the keys of the telephone would.", "pbxctl digits 201 '1234#'",
     declare_digits},
    {"record-start", kHandle, "Starts recording", "Starts recording a connection.",
     "pbxctl record-start 201", declare_record_start},
    {"record-stop", kHandle, "Stops recording", "Stops recording a connection.",
     "pbxctl record-stop 201", declare_record_stop},
    {"attach-data", kHandle, "Attaches data to a call",
     "Attaches keys and values to a call; whoever watches it sees them.",
     "pbxctl attach-data 201 order=4711 customer=Ana", declare_attach_data},

    {"set-dnd", kSet, "Do not disturb on or off", "Switches do-not-disturb of a device.",
     "pbxctl set-dnd 201 on", declare_set_dnd},
    {"set-forwarding", kSet, "A forwarding on or off",
     "Sets one forwarding of a device, or switches it off if no NUMBER is given.",
     "pbxctl set-forwarding 201 no-answer 203\npbxctl set-forwarding 201 no-answer     # off",
     declare_set_forwarding},
    {"set-presence", kSet, "The presence state", "Sets the presence of a device's user.",
     "pbxctl set-presence 201 away --note 'back at three'", declare_set_presence},
    {"set-agent-state", kSet, "An agent's state", "Sets the working state of a device's agent.",
     "pbxctl set-agent-state 201 not-ready --reason lunch", declare_set_agent_state},

    {"phones", kSetUp, "The accounts that phones register with",
     "Lists them, as the PBX has them. With a PHONE: only that one. Not to be confused with "
     "devices,\n"
     "which are extensions: what can be called and watched.",
     "pbxctl phones --tenant acme\npbxctl phones --text ann\npbxctl phones 7287", declare_phones},
    {"users", kSetUp, "Who can log in at the PBX",
     "Lists the users with their extensions, phones and licences. With a USER: only that one.",
     "pbxctl users --text ann\npbxctl users 12", declare_users},
    {"tokens", kSetUp, "A user's tokens",
     "Lists what the tokens are for and when they were made. The tokens themselves were told when\n"
     "they were made, and never again.",
     "pbxctl tokens 12", declare_tokens},
    {"agents", kSetUp, "Who answers the calls of queues",
     "Lists the agents with their teams, and what they are doing. With an AGENT: only that one.",
     "pbxctl agents\npbxctl agents 6", declare_agents},
    {"agent", kSetUp, "What an agent's desk shows when it opens",
     "Shows the state of the agent at a device, his team, what he may give as the cause of a "
     "pause,\n"
     "and the ways in which work comes to him.",
     "pbxctl agent 201", declare_agent},
    {"create-phone", kSetUp, "Makes an account for a phone",
     "NAME is for people; the phone registers as ACCOUNT, with the password of --password-file, "
     "whose\n"
     "line end at the end is left out. A password is never taken from the command line, which "
     "others\n"
     "can see.",
     "pbxctl create-phone 'phone of Ann' sip17 --password-file phone.txt\n"
     "pass show ann/phone | pbxctl create-phone 'phone of Ann' sip17 --password-file -",
     declare_create_phone},
    {"create-user", kSetUp, "Makes a user",
     "NAME is for people; he logs in as LOGIN, with the password of --password-file. --phone, "
     "--role\n"
     "and --licence may be given several times. With some PBXs nobody without a licence can log "
     "in.",
     "pbxctl create-user Ann ann --password-file ann.txt --extension 17 --phone 7287 --licence 9",
     declare_create_user},
    {"create-token", kSetUp, "Makes a token that acts as a user",
     "Prints the token, and nothing else: it is told this once. PURPOSE is for people.",
     "pbxctl create-token 12 'wall board' > token.txt", declare_create_token},
    {"create-agent", kSetUp, "Makes a user an agent",
     "The user then can be given the calls of queues.", "pbxctl create-agent 12 --team 3",
     declare_create_agent},
    {"delete-phone", kSetUp, "Deletes the account of a phone", "For good.",
     "pbxctl delete-phone 7287", declare_delete_phone},
    {"delete-user", kSetUp, "Deletes a user", "For good.", "pbxctl delete-user 12",
     declare_delete_user},
    {"delete-token", kSetUp, "Deletes a user's token", "Whoever acts with it can do so no more.",
     "pbxctl delete-token 12 5", declare_delete_token},
    {"delete-agent", kSetUp, "Makes an agent a mere user", "For good.", "pbxctl delete-agent 6",
     declare_delete_agent},

    {"sign-login", kOther, "Signs a browser's login at the PBX",
     "Prints the login that answers CHALLENGE, which the PBX gave to a browser, as the JSON "
     "object\n"
     "that the vendor's browser library takes. It is USER's, who may then do there what he may; "
     "one\n"
     "without --user has to be allowed in the connector's configuration. A challenge is signed "
     "once.",
     "pbxctl sign-login acme --app phone --user alice 16d7dbbcccb63612", declare_sign_login},

    {"completion", kOther, "A completion script for your shell",
     "Prints a script that completes verbs, options and their values.",
     "source <(pbxctl completion bash)\n"
     "pbxctl completion zsh > ~/.zsh/completions/_pbxctl\n"
     "pbxctl completion fish > ~/.config/fish/completions/pbxctl.fish",
     declare_completion},
});

}  // namespace

std::span<const Verb> verbs() { return kVerbs; }

}  // namespace pbxctl
