import { type ChildProcess, spawn, type StdioOptions } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";

/**
 * Ends what this process started and removes its folder, however this process ends: a small shell
 * process reads the pids from a pipe and acts when the pipe closes, which the kernel does even after `kill -9`.
 */
export type Reaper = {
  /** Starts a program at the head of its own process group, known to the reaper until it has ended. */
  readonly spawn: (command: string, args: readonly string[], options?: SpawnOptions) => ChildProcess;
  /** Kills every group that still runs, removes the folder, and resolves when both are gone. */
  readonly close: () => Promise<void>;
};

type SpawnOptions = {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly stdio?: StdioOptions;
  /** false: stay in this process's group, so that a terminal's keys reach the program. */
  readonly ownGroup?: boolean;
};

/** $1 is the folder to remove, $2 a script to run before that; each may be empty. Lines: `+ PID` a group to end, `- PID` one that has ended. */
const SCRIPT = `
trap '' INT TERM HUP
PATH=/usr/bin:/bin:$PATH
pids=' '
while read -r sign pid; do
  case $sign in
    +) pids="$pids$pid " ;;
    -) pids="\${pids%% $pid *} \${pids#* $pid }" ;;
  esac
done
for pid in $pids; do kill -9 "-$pid" 2>/dev/null || kill -9 "$pid" 2>/dev/null; done
[ -z "$2" ] || /bin/sh -c "$2"
[ -n "$1" ] || exit 0
tries=0
while rm -rf -- "$1" 2>/dev/null; [ -e "$1" ] && [ $tries -lt 50 ]; do tries=$((tries + 1)); sleep 0.1; done
`;

/** Starts a reaper; `folder` is removed at the end unless undefined, after the shell script `lastWork`. */
export function startReaper(folder: string | undefined, lastWork = ""): Reaper {
  const shell = spawn("/bin/sh", ["-c", SCRIPT, "reaper", folder ?? "", lastWork], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
    cwd: "/",
  });
  shell.unref();
  const ended = once(shell, "exit");
  // The shell outlives us by design; a broken pipe only says that somebody killed it.
  shell.stdin.on("error", () => undefined);
  const running = new Set<ChildProcess>();
  return {
    spawn: (command, args, options = {}) => {
      const child = spawnMortal(command, args, options);
      const pid = child.pid;
      if (pid === undefined) return child;
      running.add(child);
      shell.stdin.write(`+ ${pid}\n`);
      child.once("exit", () => {
        running.delete(child);
        if (shell.stdin.writable) shell.stdin.write(`- ${pid}\n`);
      });
      return child;
    },
    close: async () => {
      for (const child of [shell, ...running]) child.ref();
      const gone = [...running].map((child) => once(child, "exit"));
      shell.stdin.end();
      // Waiting for each also takes its exit code from the kernel: nobody stays as a zombie.
      await Promise.all([ended, ...gone]);
    },
  };
}

/** Where setpriv exists the kernel also ends the program with us, which covers the instant before it is registered. */
function spawnMortal(command: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  const { ownGroup = true, ...rest } = options;
  const [head, ...tail] =
    SETPRIV === undefined ? [command, ...args] : [SETPRIV, "--pdeathsig", "KILL", command, ...args];
  return spawn(head ?? command, tail, { ...rest, detached: ownGroup });
}

/** The full path of a command in PATH, or undefined. */
export function commandInPath(name: string, path = process.env["PATH"] ?? ""): string | undefined {
  return path
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

const SETPRIV = process.platform === "linux" ? commandInPath("setpriv") : undefined;
