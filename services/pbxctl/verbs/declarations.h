#pragma once

#include "pbxctl/verb.h"

// Each verb's declare(), for the table in verbs.cc.
namespace pbxctl {

Action declare_tenants(CLI::App& app);
Action declare_capabilities(CLI::App& app);
Action declare_devices(CLI::App& app);
Action declare_calls(CLI::App& app);
Action declare_watch(CLI::App& app);
Action declare_history(CLI::App& app);
Action declare_recording(CLI::App& app);

Action declare_call(CLI::App& app);
Action declare_pickup(CLI::App& app);
Action declare_clear_call(CLI::App& app);
Action declare_digits(CLI::App& app);
Action declare_park(CLI::App& app);
Action declare_attach_data(CLI::App& app);

// On one connection.
Action declare_answer(CLI::App& app);
Action declare_clear(CLI::App& app);
Action declare_hold(CLI::App& app);
Action declare_retrieve(CLI::App& app);
Action declare_record_start(CLI::App& app);
Action declare_record_stop(CLI::App& app);
// On a connection, and a number to go to.
Action declare_consult(CLI::App& app);
Action declare_blind_transfer(CLI::App& app);
Action declare_deflect(CLI::App& app);
// On the two connections of a device.
Action declare_alternate(CLI::App& app);
Action declare_reconnect(CLI::App& app);
Action declare_transfer(CLI::App& app);
Action declare_conference(CLI::App& app);

Action declare_set_dnd(CLI::App& app);
Action declare_set_forwarding(CLI::App& app);
Action declare_set_presence(CLI::App& app);
Action declare_set_agent_state(CLI::App& app);

// What a PBX is set up with.
Action declare_phones(CLI::App& app);
Action declare_users(CLI::App& app);
Action declare_tokens(CLI::App& app);
Action declare_agents(CLI::App& app);
Action declare_create_phone(CLI::App& app);
Action declare_create_user(CLI::App& app);
Action declare_create_token(CLI::App& app);
Action declare_create_agent(CLI::App& app);
Action declare_delete_phone(CLI::App& app);
Action declare_delete_user(CLI::App& app);
Action declare_delete_token(CLI::App& app);
Action declare_delete_agent(CLI::App& app);
Action declare_agent(CLI::App& app);

Action declare_sign_login(CLI::App& app);

Action declare_completion(CLI::App& app);

}  // namespace pbxctl
