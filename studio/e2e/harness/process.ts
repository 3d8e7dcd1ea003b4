// A program of the repository as a child process: started, waited for, ended. Must not know what it serves.
import { spawn, type ChildProcess } from "node:child_process";
import { createServer } from "node:net";
import { once } from "node:events";
import { setTimeout as rest } from "node:timers/promises";

import { BINARY } from "./paths.ts";

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("there is no free port");
  return address.port;
}

/** Asks until the answer is there; fails with what it is waiting for. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined | false | null>,
  seconds = 30,
): Promise<T> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const answer = await ask().catch(() => undefined);
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`${what} did not come within ${seconds} s`);
    await rest(50);
  }
}

export class Program {
  private child: ChildProcess | null = null;
  private output = "";

  constructor(
    private readonly args: string[],
    private readonly environment: Record<string, string>,
    /** Answers once the program works. */
    private readonly readyAt: string,
  ) {}

  async start(): Promise<void> {
    const child = spawn(BINARY, this.args, {
      env: { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "", ...this.environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (part: Buffer) => (this.output = (this.output + part.toString()).slice(-20_000)));
    }
    await until(`${this.args[0]} at ${this.readyAt}\n${this.output}`, async () => {
      if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
      return (await fetch(this.readyAt)).ok;
    }).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${this.output}`);
    });
  }

  /** Ends it; without notice when `isKilled`. */
  async stop(isKilled = false): Promise<void> {
    const child = this.child;
    this.child = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(isKilled ? "SIGKILL" : "SIGTERM");
    await once(child, "exit");
  }
}

/** Runs a command to its end; answers the last line of what it printed. */
export async function lastLine(args: string[], environment: Record<string, string>): Promise<string> {
  const child = spawn(BINARY, args, { env: { PATH: process.env.PATH ?? "", ...environment } });
  let printed = "";
  let said = "";
  child.stdout.on("data", (part: Buffer) => (printed += part.toString()));
  child.stderr.on("data", (part: Buffer) => (said += part.toString()));
  const [code] = (await once(child, "close")) as [number];
  if (code !== 0) throw new Error(`sluice ${args.join(" ")} ended with ${code}:\n${said}`);
  return printed.trim().split("\n").at(-1) ?? "";
}
