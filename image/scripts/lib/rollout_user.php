<?php
// The user as whom a rollout follows one session across the nodes. There is no other way to prove sessions on every site:
// behind single sign-on there is no form, and a password that is tried counts as a failed login, mails the administrator of
// a new device, or asks for a second factor. Needs a bootstrapped Moodle.
//
// Nobody can sign in as this user, who has no password and no role. Not by `nologin`: up to 4.4 Moodle's cron ends the
// sessions of such users every minute (session_cleanup_task). The rows are written and removed by themselves and without
// Moodle's events, because plugins send messages, enrol and count when a user comes or goes.

namespace moodle_lifecycle;

const ROLLOUT_USER = 'moodle-lifecycle';
/** Together with the name: nobody's account is taken for it, or removed. */
const ROLLOUT_USER_MARK = ['username' => ROLLOUT_USER, 'auth' => 'manual', 'idnumber' => 'moodle-lifecycle-rollout'];

/** Where Moodle's pages write of a user who looks at them, also those of its second factor and its policies. */
const TABLES_OF_USERS = ['sessions', 'user_preferences', 'user_lastaccess', 'user_info_data', 'user_devices', 'my_pages',
    'user_password_history', 'tool_mfa', 'tool_mfa_auth', 'tool_policy_acceptances'];

/**
 * The row of this user, made unless an earlier rollout was killed before it removed it.
 *
 * @throws node_problem when somebody else has the name
 */
function make_rollout_user(): \stdClass {
    global $CFG, $DB;
    $found = $DB->get_record('user', ROLLOUT_USER_MARK);
    if ($found) {
        return $found;
    }
    $mnethost = (int) $CFG->mnet_localhost_id;
    if ($DB->record_exists('user', ['username' => ROLLOUT_USER, 'mnethostid' => $mnethost])) {
        throw new node_problem('Somebody on this site has the username ' . ROLLOUT_USER . ', which rollouts need for a user of their own. '
            . 'Rename that account. Nothing was changed.');
    }
    $now = time();
    $id = $DB->insert_record('user', (object) (ROLLOUT_USER_MARK + [
        'password' => 'not cached', 'mnethostid' => $mnethost, 'confirmed' => 1, 'policyagreed' => 1, 'lang' => $CFG->lang,
        'firstname' => 'Moodle', 'lastname' => 'Lifecycle', 'email' => ROLLOUT_USER . '@invalid.invalid', 'emailstop' => 1, 'maildisplay' => 0,
        'timecreated' => $now, 'timemodified' => $now,
    ]));
    return $DB->get_record('user', ['id' => $id], '*', MUST_EXIST);
}

/** Removes the user, and what Moodle's pages wrote of a user who looked at them. */
function remove_rollout_user(): void {
    global $DB;
    $user = $DB->get_record('user', ROLLOUT_USER_MARK);
    if (!$user) {
        return;
    }
    \context_helper::delete_instance(CONTEXT_USER, $user->id);
    $there = $DB->get_tables();
    foreach (TABLES_OF_USERS as $table) {
        if (in_array($table, $there, true)) {
            $DB->delete_records($table, ['userid' => $user->id]);
        }
    }
    $DB->delete_records('user', ['id' => $user->id] + ROLLOUT_USER_MARK);
}
