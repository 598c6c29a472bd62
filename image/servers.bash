# nginx and php-fpm of a node: their configuration, start and end. Sourced by `entrypoint`, which sets `drain_seconds`
# and has `stop` to give up.

find_php_fpm() {
  local found
  found=$(compgen -c php-fpm | sort -V | tail -n 1)
  [ -n "$found" ] || found=$(PATH=$PATH:/usr/sbin:/usr/local/sbin compgen -c php-fpm | sort -V | tail -n 1)
  [ -n "$found" ] || stop "There is no php-fpm on this machine."
  PATH=$PATH:/usr/sbin:/usr/local/sbin command -v "$found"
}

# How large a request may be, so that a file of MOODLE_UPLOAD_MAX passes: 8 MB more, for the rest of its form.
limit_requests() {
  local -A bytes=([K]=1024 [M]=1048576 [G]=1073741824)
  [[ $MOODLE_UPLOAD_MAX =~ ^([1-9][0-9]{0,5})([KMG])$ ]] ||
    stop "MOODLE_UPLOAD_MAX is a size like 512M or 2G, not “$MOODLE_UPLOAD_MAX”. Nothing was started."
  export MOODLE_POST_MAX=$((BASH_REMATCH[1] * bytes[${BASH_REMATCH[2]}] + 8 * 1048576))
}

# Workers: as many as the memory carries at 100 MB each, and no more than eight for each processor.
count_workers() {
  local bytes limit workers
  bytes=$(($(awk '/^MemTotal:/ { print $2 }' /proc/meminfo) * 1024))
  # A container's own limit, of either version of cgroups; "max" or a huge number when there is none.
  for limit in /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes; do
    [ -r "$limit" ] && [[ $(<"$limit") =~ ^[0-9]{1,15}$ ]] && (($(<"$limit") < bytes)) && bytes=$(<"$limit")
  done
  workers=$(((bytes / 1048576 - 400) / 100))
  ((workers <= 8 * $(nproc))) || workers=$((8 * $(nproc)))
  echo $((workers < 4 ? 4 : workers))
}

render() {
  local text name
  text=$(<"$1")
  for name in USER LOCAL SCRIPTS DATAROOT WEBROOT LISTEN NODE NOT_A_FILE DEFAULT_PORT POST_MAX DRAIN_SECONDS PROCESSORS WORKERS \
    SPARE_WORKERS ACCESS_LOG; do
    # Quoted, because an unquoted & in the value would stand for the match.
    text=${text//"@$name@"/"${value[$name]-}"}
  done
  printf '%s\n' "$text"
}

write_server_configuration() {
  local webroot=$MOODLE_DIRROOT workers
  [ ! -d "$MOODLE_DIRROOT/public" ] || webroot=$MOODLE_DIRROOT/public
  workers=${MOODLE_PHP_WORKERS:-$(count_workers)}
  # A socket's address has 108 bytes.
  [ ${#MOODLE_LOCAL} -le 85 ] || stop "MOODLE_LOCAL is too long for a socket in it (${#MOODLE_LOCAL} characters, at most 85): $MOODLE_LOCAL"
  local -A value=(
    [LOCAL]=$MOODLE_LOCAL [SCRIPTS]=$MOODLE_NODE_SCRIPTS [DATAROOT]=$(realpath "$MOODLE_DATAROOT") [WEBROOT]=$webroot
    [LISTEN]=${1:-$MOODLE_LISTEN} [NODE]=$MOODLE_NODE_ID [POST_MAX]=$MOODLE_POST_MAX [DRAIN_SECONDS]=$drain_seconds
    [PROCESSORS]=$(nproc) [WORKERS]=$workers [SPARE_WORKERS]=$((workers < 4 ? workers : 4))
    [ACCESS_LOG]=$MOODLE_LOCAL/run/access.pipe [NOT_A_FILE]='=404' [DEFAULT_PORT]=80 [USER]=
  )
  [[ $MOODLE_WWWROOT != https://* ]] || value[DEFAULT_PORT]=443
  # Moodle's router, from 4.5 on.
  [ ! -f "$webroot/r.php" ] || value[NOT_A_FILE]='/r.php$is_args$args'
  cp "$MOODLE_NODE_SCRIPTS/fastcgi_params" "$MOODLE_LOCAL/run/fastcgi_params"
  [ "$(id -u)" != 0 ] || value[USER]='user root root;'
  render "$MOODLE_NODE_SCRIPTS/nginx.conf.template" >"$MOODLE_LOCAL/run/nginx.conf"
  [ "$(id -u)" != 0 ] || value[USER]=$'user = root\ngroup = root'
  render "$MOODLE_NODE_SCRIPTS/php-fpm.conf.template" >"$MOODLE_LOCAL/run/php-fpm.conf"
}

# nginx opens its log by name, and /dev/stdout of another user's pipe cannot be opened.
open_access_log() {
  rm -f "$MOODLE_LOCAL/run/access.pipe"
  mkfifo -m 600 "$MOODLE_LOCAL/run/access.pipe"
  cat <"$MOODLE_LOCAL/run/access.pipe" &
  # Held open, so that the reader outlives nginx's last line.
  exec 9>"$MOODLE_LOCAL/run/access.pipe"
}

start_servers() {
  local fpm as_root=()
  fpm=$(find_php_fpm)
  [ "$(id -u)" != 0 ] || as_root=(-R)
  rm -f "$MOODLE_LOCAL/run/php-fpm.sock"
  open_access_log
  # php-fpm always makes a process group of its own. Whatever ends this script, even SIGKILL, ends it too.
  setpriv --pdeathsig TERM "$fpm" --nodaemonize -O "${as_root[@]}" -c "$MOODLE_NODE_SCRIPTS/php.ini" -y "$MOODLE_LOCAL/run/php-fpm.conf" 9>&- &
  fpm_pid=$!
  # Half a second, on a busy machine a minute.
  for _ in $(seq 1200); do
    [ ! -S "$MOODLE_LOCAL/run/php-fpm.sock" ] || break
    kill -0 "$fpm_pid" 2>/dev/null || stop "php-fpm did not start."
    sleep 0.1
  done
  PATH=$PATH:/usr/sbin nginx -e stderr -p "$MOODLE_LOCAL" -c "$MOODLE_LOCAL/run/nginx.conf" 9>&- &
  nginx_pid=$!
}

# nginx first: it takes no new connection, and finishes those it has, for which it needs PHP.
stop_servers() {
  kill -QUIT "$nginx_pid" 2>/dev/null || true
  wait_for_end "$nginx_pid"
  kill -QUIT "$fpm_pid" 2>/dev/null || true
  wait_for_end "$fpm_pid"
}

wait_for_end() {
  while kill -0 "$1" 2>/dev/null; do wait "$1" 2>/dev/null || true; done
}
