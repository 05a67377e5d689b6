/** Owns the help texts. */

/** Printed for `-h`, and below the complaint about a flag. */
export function usage(program: string): string {
  return `
Usage: ${program} [options]
${commandsHint(program)}
Server Options:
    -a, --addr, --net <host>         Listen on this host (default: 0.0.0.0)
    -p, --port <port>                Listen on this port for clients (default: 4222, -1: any free port)
    -n, --name
        --server_name <name>         Name of the server, stable and unique in its cluster (default: its id)
    -P, --pid <file>                 Write the process id to this file
    -m, --http_port <port>           Serve monitoring and metrics over HTTP on this port
    -c, --config <file>              Read the configuration from this file; flags win over it
    -t                               Test the configuration and exit
    -sl,--signal <signal>[=<pid>]    Send a signal to a running server: ldm, stop, quit, term, reopen or reload;
                                     <pid> is a process id or the path of a pid file
        --client_advertise <address> Address told to clients instead of the listener's
        --ports_file_dir <dir>       Write the ports in use to <dir>/${program}_<pid>.ports

Logging Options:
    -l, --log <file>                 Log to this file instead of stderr
    -T, --logtime                    Start log lines with the time (default: true)
        --logtime_utc                Log times in UTC (default: local time)
        --log_size_limit <bytes>     Set the log file aside when it gets bigger (default: never)
    -D, --debug                      Log debugging output
    -V, --trace                      Log the protocol
    -VV                              The same
    -DV, -DVV                        Debug and trace

JetStream Options:
    -js, --jetstream                 Enable JetStream
    -sd, --store_dir <dir>           Keep its data in this directory

Cluster Options:
        --cluster <url>
        --cluster_listen <url>       Listen for other servers here, e.g. nats://0.0.0.0:6222
        --cluster_name <name>        Name of the cluster
        --routes <url,url>           Servers to join the cluster through
        --cluster_advertise <address> Address told to other servers instead of the listener's
        --no_advertise <bool>        Do not tell clients about the other servers

Common Options:
    -h, --help                       Show this message
    -v, --version                    Show the version

Accepted without effect: --connect_retries, --profile, --max_traced_msg_len.
Not supported by this version: --user, --pass, --auth, --tls*, -ms, -s, -r.
`;
}

/** Under the name of the reference server it is nothing but a server. */
function commandsHint(program: string): string {
  return program === 'nats-server' ? '' : `       ${program} help     lists the commands that talk to a server\n`;
}

/** Printed for `--help_tls`. */
export const TLS_HELP = 'TLS is not supported by this version.\n';
