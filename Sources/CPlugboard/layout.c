// The frozen layout of ABI 1.0 on 64-bit systems (LP64).
//
// A build that moves a field fails here. Appending a field to the end of a struct changes its size
// line only, and needs an entry in CHANGES.md and a new PLUGBOARD_ABI_MINOR.
#include "plugboard/plugboard.h"

#ifdef __cplusplus
#define ASSERT_LAYOUT(condition, message) static_assert(condition, message)
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#define ASSERT_LAYOUT(condition, message) _Static_assert(condition, message)
#else
#error "layout.c wants C11 or newer; the headers themselves do with C99"
#endif

#define AT(type, field, offset) \
    ASSERT_LAYOUT(offsetof(type, field) == (offset), #type "." #field " moved")
#define SIZE(type, size) ASSERT_LAYOUT(sizeof(type) == (size), #type " changed its size")

AT(plugboard_bytes_t, count, 8);
SIZE(plugboard_bytes_t, 16);

AT(plugboard_outcome_t, result, 4);
AT(plugboard_outcome_t, failure_class, 6);
AT(plugboard_outcome_t, flags, 8);
AT(plugboard_outcome_t, retry_after_ms, 12);
AT(plugboard_outcome_t, reason, 16);
AT(plugboard_outcome_t, code, 32);
SIZE(plugboard_outcome_t, 48);

AT(plugboard_envelope_t, kind, 4);
AT(plugboard_envelope_t, flags, 6);
AT(plugboard_envelope_t, token, 8);
AT(plugboard_envelope_t, timestamp_ms, 16);
AT(plugboard_envelope_t, expires_ms, 24);
AT(plugboard_envelope_t, idempotency_key, 32);
AT(plugboard_envelope_t, hops, 48);
AT(plugboard_envelope_t, reserved, 52);
AT(plugboard_envelope_t, from, 56);
AT(plugboard_envelope_t, from_device, 72);
AT(plugboard_envelope_t, to, 88);
AT(plugboard_envelope_t, to_device, 104);
AT(plugboard_envelope_t, id, 120);
AT(plugboard_envelope_t, conversation, 136);
AT(plugboard_envelope_t, origin, 152);
AT(plugboard_envelope_t, account, 168);
AT(plugboard_envelope_t, content, 184);
SIZE(plugboard_envelope_t, 192);

AT(plugboard_message_t, flags, 4);
AT(plugboard_message_t, text, 8);
AT(plugboard_message_t, subject, 24);
AT(plugboard_message_t, language, 40);
AT(plugboard_message_t, replaces, 56);
AT(plugboard_message_t, formatted, 72);
AT(plugboard_message_t, formatted_type, 88);
SIZE(plugboard_message_t, 104);

AT(plugboard_receipt_t, receipt, 4);
AT(plugboard_receipt_t, message_id, 8);
SIZE(plugboard_receipt_t, 24);

AT(plugboard_typing_t, state, 4);
SIZE(plugboard_typing_t, 8);

AT(plugboard_presence_t, availability, 4);
AT(plugboard_presence_t, changed_ms, 8);
AT(plugboard_presence_t, priority, 16);
AT(plugboard_presence_t, abilities, 20);
AT(plugboard_presence_t, status, 24);
SIZE(plugboard_presence_t, 40);

AT(plugboard_subscription_t, action, 4);
AT(plugboard_subscription_t, name, 8);
AT(plugboard_subscription_t, text, 24);
SIZE(plugboard_subscription_t, 40);

AT(plugboard_contact_t, change, 4);
AT(plugboard_contact_t, address, 8);
AT(plugboard_contact_t, name, 24);
AT(plugboard_contact_t, groups, 40);
AT(plugboard_contact_t, group_count, 48);
SIZE(plugboard_contact_t, 56);

AT(plugboard_call_t, event, 4);
AT(plugboard_call_t, media, 8);
AT(plugboard_call_t, reserved, 12);
AT(plugboard_call_t, call_id, 16);
AT(plugboard_call_t, description, 32);
AT(plugboard_call_t, reason, 48);
SIZE(plugboard_call_t, 64);

AT(plugboard_failure_t, failure_class, 4);
AT(plugboard_failure_t, failed_kind, 6);
AT(plugboard_failure_t, flags, 8);
AT(plugboard_failure_t, reserved, 12);
AT(plugboard_failure_t, message_id, 16);
AT(plugboard_failure_t, reason, 32);
AT(plugboard_failure_t, code, 48);
SIZE(plugboard_failure_t, 64);

AT(plugboard_tls_options_t, verification, 4);
AT(plugboard_tls_options_t, identity, 8);
AT(plugboard_tls_options_t, peer_name, 24);
AT(plugboard_tls_options_t, alpn, 40);
AT(plugboard_tls_options_t, alpn_count, 48);
SIZE(plugboard_tls_options_t, 56);

AT(plugboard_tls_info_t, flags, 4);
AT(plugboard_tls_info_t, version, 8);
AT(plugboard_tls_info_t, alpn, 24);
AT(plugboard_tls_info_t, untrusted_reason, 40);
SIZE(plugboard_tls_info_t, 56);

AT(plugboard_connect_options_t, timeout_ms, 4);
AT(plugboard_connect_options_t, host, 8);
AT(plugboard_connect_options_t, port, 24);
AT(plugboard_connect_options_t, reserved, 26);
AT(plugboard_connect_options_t, input_max, 28);
AT(plugboard_connect_options_t, tls, 32);
SIZE(plugboard_connect_options_t, 40);

AT(plugboard_listen_options_t, input_max, 4);
AT(plugboard_listen_options_t, address, 8);
AT(plugboard_listen_options_t, port, 24);
AT(plugboard_listen_options_t, reserved, 26);
AT(plugboard_listen_options_t, streams_max, 28);
AT(plugboard_listen_options_t, tls, 32);
SIZE(plugboard_listen_options_t, 40);

AT(plugboard_record_t, type, 4);
AT(plugboard_record_t, value, 8);
AT(plugboard_record_t, port, 24);
AT(plugboard_record_t, priority, 26);
AT(plugboard_record_t, weight, 28);
AT(plugboard_record_t, reserved, 30);
SIZE(plugboard_record_t, 32);

AT(plugboard_host_t, abi_version, 4);
AT(plugboard_host_t, context, 8);
AT(plugboard_host_t, submit, 16);
AT(plugboard_host_t, complete, 24);
AT(plugboard_host_t, ready, 32);
AT(plugboard_host_t, claim, 40);
AT(plugboard_host_t, connect, 48);
AT(plugboard_host_t, listen, 56);
AT(plugboard_host_t, close_listener, 64);
AT(plugboard_host_t, write, 72);
AT(plugboard_host_t, set_reading, 80);
AT(plugboard_host_t, finish, 88);
AT(plugboard_host_t, abort, 96);
AT(plugboard_host_t, start_tls, 104);
AT(plugboard_host_t, certificate_matches, 112);
AT(plugboard_host_t, peer_address, 120);
AT(plugboard_host_t, resolve, 128);
AT(plugboard_host_t, start_timer, 136);
AT(plugboard_host_t, cancel_timer, 144);
AT(plugboard_host_t, wall_ms, 152);
AT(plugboard_host_t, monotonic_ns, 160);
AT(plugboard_host_t, random, 168);
AT(plugboard_host_t, log, 176);
AT(plugboard_host_t, extension, 184);
SIZE(plugboard_host_t, 192);

AT(plugboard_submitted_t, reserved, 4);
AT(plugboard_submitted_t, cookie, 8);
AT(plugboard_submitted_t, outcome, 16);
SIZE(plugboard_submitted_t, 24);

AT(plugboard_closed_t, cause, 4);
AT(plugboard_closed_t, detail, 8);
SIZE(plugboard_closed_t, 24);

AT(plugboard_provider_t, reserved, 4);
AT(plugboard_provider_t, start, 8);
AT(plugboard_provider_t, drain, 16);
AT(plugboard_provider_t, stop, 24);
AT(plugboard_provider_t, destroy, 32);
AT(plugboard_provider_t, deliver, 40);
AT(plugboard_provider_t, submitted, 48);
AT(plugboard_provider_t, room, 56);
AT(plugboard_provider_t, accepted, 64);
AT(plugboard_provider_t, opened, 72);
AT(plugboard_provider_t, received, 80);
AT(plugboard_provider_t, writable, 88);
AT(plugboard_provider_t, closed, 96);
AT(plugboard_provider_t, resolved, 104);
AT(plugboard_provider_t, fired, 112);
AT(plugboard_provider_t, extension, 120);
SIZE(plugboard_provider_t, 128);

AT(plugboard_capability_t, level, 4);
AT(plugboard_capability_t, name, 8);
AT(plugboard_capability_t, limit, 16);
SIZE(plugboard_capability_t, 24);

AT(plugboard_setting_schema_t, type, 4);
AT(plugboard_setting_schema_t, flags, 8);
AT(plugboard_setting_schema_t, reserved, 12);
AT(plugboard_setting_schema_t, path, 16);
AT(plugboard_setting_schema_t, standard, 24);
AT(plugboard_setting_schema_t, choices, 32);
AT(plugboard_setting_schema_t, help, 40);
AT(plugboard_setting_schema_t, minimum, 48);
AT(plugboard_setting_schema_t, maximum, 56);
SIZE(plugboard_setting_schema_t, 64);

AT(plugboard_setting_t, reserved, 4);
AT(plugboard_setting_t, path, 8);
AT(plugboard_setting_t, value, 24);
SIZE(plugboard_setting_t, 40);

AT(plugboard_problems_t, reserved, 4);
AT(plugboard_problems_t, context, 8);
AT(plugboard_problems_t, report, 16);
SIZE(plugboard_problems_t, 24);

AT(plugboard_command_t, reserved, 4);
AT(plugboard_command_t, name, 8);
AT(plugboard_command_t, signature, 16);
AT(plugboard_command_t, argument_names, 24);
AT(plugboard_command_t, help, 32);
AT(plugboard_command_t, function, 40);
SIZE(plugboard_command_t, 48);

AT(plugboard_descriptor_t, reserved, 4);
AT(plugboard_descriptor_t, id, 8);
AT(plugboard_descriptor_t, name, 16);
AT(plugboard_descriptor_t, version, 24);
AT(plugboard_descriptor_t, vendor, 32);
AT(plugboard_descriptor_t, capabilities, 40);
AT(plugboard_descriptor_t, capability_count, 48);
AT(plugboard_descriptor_t, settings, 56);
AT(plugboard_descriptor_t, setting_count, 64);
AT(plugboard_descriptor_t, commands, 72);
AT(plugboard_descriptor_t, command_count, 80);
SIZE(plugboard_descriptor_t, 88);

AT(plugboard_instance_t, reserved, 4);
AT(plugboard_instance_t, id, 8);
AT(plugboard_instance_t, settings, 24);
AT(plugboard_instance_t, setting_count, 32);
AT(plugboard_instance_t, home_domains, 40);
AT(plugboard_instance_t, home_domain_count, 48);
AT(plugboard_instance_t, problems, 56);
SIZE(plugboard_instance_t, 64);

AT(plugboard_plugin_t, abi_version, 4);
AT(plugboard_plugin_t, context, 8);
AT(plugboard_plugin_t, descriptor, 16);
AT(plugboard_plugin_t, check, 24);
AT(plugboard_plugin_t, create, 32);
SIZE(plugboard_plugin_t, 40);

AT(plugboard_digest_t, reserved, 4);
AT(plugboard_digest_t, hash, 8);
AT(plugboard_digest_t, hmac, 16);
SIZE(plugboard_digest_t, 24);

AT(plugboard_link_t, state, 4);
AT(plugboard_link_t, name, 8);
AT(plugboard_link_t, detail, 24);
AT(plugboard_link_t, sent, 40);
AT(plugboard_link_t, received, 48);
AT(plugboard_link_t, waiting, 56);
AT(plugboard_link_t, since_ms, 64);
SIZE(plugboard_link_t, 72);

AT(plugboard_homes_extension_t, reserved, 4);
AT(plugboard_homes_extension_t, changed, 8);
SIZE(plugboard_homes_extension_t, 16);

AT(plugboard_status_extension_t, reserved, 4);
AT(plugboard_status_extension_t, links, 8);
SIZE(plugboard_status_extension_t, 16);

AT(plugboard_http_field_t, reserved, 4);
AT(plugboard_http_field_t, name, 8);
AT(plugboard_http_field_t, value, 24);
SIZE(plugboard_http_field_t, 40);

AT(plugboard_http_request_t, flags, 4);
AT(plugboard_http_request_t, method, 8);
AT(plugboard_http_request_t, url, 24);
AT(plugboard_http_request_t, fields, 40);
AT(plugboard_http_request_t, field_count, 48);
AT(plugboard_http_request_t, body, 56);
AT(plugboard_http_request_t, identity, 72);
AT(plugboard_http_request_t, timeout_ms, 88);
AT(plugboard_http_request_t, redirects_max, 92);
AT(plugboard_http_request_t, answer_bytes_max, 96);
SIZE(plugboard_http_request_t, 104);

AT(plugboard_http_answer_t, status, 4);
AT(plugboard_http_answer_t, url, 8);
AT(plugboard_http_answer_t, fields, 24);
AT(plugboard_http_answer_t, field_count, 32);
AT(plugboard_http_answer_t, body, 40);
SIZE(plugboard_http_answer_t, 56);

AT(plugboard_http_failure_t, cause, 4);
AT(plugboard_http_failure_t, detail, 8);
SIZE(plugboard_http_failure_t, 24);

AT(plugboard_http_t, reserved, 4);
AT(plugboard_http_t, request, 8);
AT(plugboard_http_t, cancel, 16);
AT(plugboard_http_t, set_reading, 24);
SIZE(plugboard_http_t, 32);

AT(plugboard_http_events_t, reserved, 4);
AT(plugboard_http_events_t, head, 8);
AT(plugboard_http_events_t, body, 16);
AT(plugboard_http_events_t, done, 24);
SIZE(plugboard_http_events_t, 32);

AT(plugboard_store_condition_t, kind, 4);
AT(plugboard_store_condition_t, value, 8);
SIZE(plugboard_store_condition_t, 24);

AT(plugboard_store_entry_t, reserved, 4);
AT(plugboard_store_entry_t, key, 8);
AT(plugboard_store_entry_t, value, 24);
SIZE(plugboard_store_entry_t, 40);

AT(plugboard_store_t, reserved, 4);
AT(plugboard_store_t, get, 8);
AT(plugboard_store_t, put, 16);
AT(plugboard_store_t, remove, 24);
AT(plugboard_store_t, list, 32);
SIZE(plugboard_store_t, 40);

AT(plugboard_store_events_t, reserved, 4);
AT(plugboard_store_events_t, done, 8);
SIZE(plugboard_store_events_t, 16);

AT(plugboard_value_t, type, 4);
AT(plugboard_value_t, integer, 8);
AT(plugboard_value_t, number, 16);
AT(plugboard_value_t, text, 24);
SIZE(plugboard_value_t, 40);

AT(plugboard_commands_host_t, reserved, 4);
AT(plugboard_commands_host_t, fail, 8);
AT(plugboard_commands_host_t, answer, 16);
SIZE(plugboard_commands_host_t, 24);

AT(plugboard_commands_extension_t, reserved, 4);
AT(plugboard_commands_extension_t, call, 8);
SIZE(plugboard_commands_extension_t, 16);
AT(plugboard_udp_options_t, port, 4);
AT(plugboard_udp_options_t, reserved, 6);
AT(plugboard_udp_options_t, address, 8);
SIZE(plugboard_udp_options_t, 24);

AT(plugboard_datagram_t, port, 4);
AT(plugboard_datagram_t, reserved, 6);
AT(plugboard_datagram_t, address, 8);
AT(plugboard_datagram_t, payload, 24);
SIZE(plugboard_datagram_t, 40);

AT(plugboard_udp_counters_t, reserved, 4);
AT(plugboard_udp_counters_t, received, 8);
AT(plugboard_udp_counters_t, received_lost, 16);
AT(plugboard_udp_counters_t, sent, 24);
AT(plugboard_udp_counters_t, sent_lost, 32);
SIZE(plugboard_udp_counters_t, 40);

AT(plugboard_udp_t, reserved, 4);
AT(plugboard_udp_t, bind, 8);
AT(plugboard_udp_t, send, 16);
AT(plugboard_udp_t, close, 24);
AT(plugboard_udp_t, counters, 32);
SIZE(plugboard_udp_t, 40);

AT(plugboard_udp_events_t, reserved, 4);
AT(plugboard_udp_events_t, received, 8);
AT(plugboard_udp_events_t, closed, 16);
SIZE(plugboard_udp_events_t, 24);

AT(plugboard_metric_declaration_t, kind, 4);
AT(plugboard_metric_declaration_t, name, 8);
AT(plugboard_metric_declaration_t, help, 24);
AT(plugboard_metric_declaration_t, unit, 40);
AT(plugboard_metric_declaration_t, labels, 56);
AT(plugboard_metric_declaration_t, label_count, 64);
AT(plugboard_metric_declaration_t, buckets, 72);
AT(plugboard_metric_declaration_t, bucket_count, 80);
SIZE(plugboard_metric_declaration_t, 88);

AT(plugboard_metrics_t, reserved, 4);
AT(plugboard_metrics_t, declare, 8);
AT(plugboard_metrics_t, series, 16);
AT(plugboard_metrics_t, add, 24);
AT(plugboard_metrics_t, record, 32);
SIZE(plugboard_metrics_t, 40);

AT(plugboard_log_field_t, reserved, 4);
AT(plugboard_log_field_t, name, 8);
AT(plugboard_log_field_t, value, 24);
SIZE(plugboard_log_field_t, 40);

AT(plugboard_log_t, reserved, 4);
AT(plugboard_log_t, write, 8);
SIZE(plugboard_log_t, 16);

AT(plugboard_linked_account_t, reserved, 4);
AT(plugboard_linked_account_t, account, 8);
AT(plugboard_linked_account_t, user, 16);
AT(plugboard_linked_account_t, name, 32);
SIZE(plugboard_linked_account_t, 48);

AT(plugboard_credentials_t, reserved, 4);
AT(plugboard_credentials_t, password, 8);
SIZE(plugboard_credentials_t, 24);

AT(plugboard_accounts_t, reserved, 4);
AT(plugboard_accounts_t, follow, 8);
AT(plugboard_accounts_t, password, 16);
SIZE(plugboard_accounts_t, 24);

AT(plugboard_accounts_events_t, reserved, 4);
AT(plugboard_accounts_events_t, linked, 8);
AT(plugboard_accounts_events_t, changed, 16);
AT(plugboard_accounts_events_t, unlinked, 24);
AT(plugboard_accounts_events_t, password, 32);
SIZE(plugboard_accounts_events_t, 40);
