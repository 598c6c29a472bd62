<?php
// fetch-database-login [asked]: writes the database's user and password as the secret has them now, where they differ
// from those in use. “asked”: the database has refused those in use.
//
// While a rotation is under way, the database may have the new password already and the secret's current version the old
// one: so what the database accepts is taken, the pending version too.

namespace moodle_lifecycle;

require_once(__DIR__ . '/lib/lifecycle_database.php');
require_once(__DIR__ . '/lib/secret.php');
fail_plainly();

$asked = ($argv[1] ?? '') === 'asked';
$inuse = database_login();
foreach (['AWSCURRENT', 'AWSPENDING'] as $stage) {
    $members = secret::read(required_setting('MOODLE_DATABASE_SECRET_ARN'), $stage);
    if ($members === null) {
        continue;
    }
    $login = ['user' => (string) $members['username'], 'password' => (string) $members['password']];
    // Not tried on the database when nobody complains: a database that is paused must be left asleep.
    if ($login === $inuse && !$asked) {
        exit(0);
    }
    if (!lifecycle_database::refuses($login)) {
        if ($login !== $inuse) {
            write_login($login);
            say('the login to the database was changed; connections use the new one from now on');
        }
        exit(0);
    }
}
throw new node_problem('The database refuses the login of its secret, also of the pending version. The node keeps the one that it has.');

/** Atomically, so that no request ever reads half of it. */
function write_login(array $login): void {
    $file = database_login_file();
    umask(0077);
    file_put_contents("$file.new", json_encode($login, JSON_THROW_ON_ERROR));
    rename("$file.new", $file);
}
