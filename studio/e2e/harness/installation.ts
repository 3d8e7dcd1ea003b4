// A whole installation of its own for a file of tests: server, sandbox, a workspace with a number, its owner and a key.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { preview, type PreviewServer } from "vite";

import { freePort, lastLine, Program, until } from "./process.ts";
import { DIST, STUDIO } from "./paths.ts";

const WORKSPACE = "shop";
const PASSWORD = "correct horse battery";
/** The sandbox's own number. */
const NUMBER = {
  phone_number_id: "106540352242922",
  waba_id: "102290129340398",
  display_phone_number: "15550783881",
  verified_name: "Sluice Demo",
};

type Environment = Record<string, string>;
export type Account = { email: string; password: string };
type Json = Record<string, unknown>;

export class Installation {
  /** Where the studio is opened. */
  studio = "";
  key = "";
  readonly owner: Account = { email: "owner@shop.test", password: PASSWORD };
  private preview: PreviewServer | null = null;

  private constructor(
    readonly server: string,
    readonly sandbox: string,
    private readonly data: string,
    private readonly environment: Environment,
    private readonly service: Program,
    private readonly provider: Program,
  ) {}

  /** With settings of its own, which may depend on where the sandbox is. */
  static async start(settled: Environment | ((sandbox: string) => Environment) = {}): Promise<Installation> {
    const [port, sandboxPort, mailPort] = [await freePort(), await freePort(), await freePort()];
    const data = await mkdtemp(join(tmpdir(), "sluice-e2e-"));
    const server = `http://127.0.0.1:${port}`;
    const sandbox = `http://127.0.0.1:${sandboxPort}`;
    const environment = typeof settled === "function" ? settled(sandbox) : settled;
    const settings = {
      SLUICE_DATA: data,
      SLUICE_LISTEN: `127.0.0.1:${port}`,
      SLUICE_GRAPH_BASE_URL: sandbox,
      SLUICE_WHATSAPP_APP_SECRET: "sandbox-app-secret",
      SLUICE_WHATSAPP_VERIFY_TOKEN: "sandbox-verify-token",
      SLUICE_SMTP_URL: `smtp://127.0.0.1:${mailPort}`,
      SLUICE_MAIL_FROM: "Sluice <no-reply@sluice.test>",
      ...environment,
    };
    const listen = ["--listen", `127.0.0.1:${sandboxPort}`, "--smtp-listen", `127.0.0.1:${mailPort}`];
    const webhook = ["--webhook", `${server}/api/whatsapp/webhook`];
    const provider = new Program(["sandbox", ...listen, ...webhook], {}, `${sandbox}/_sandbox/requests`);
    const service = new Program(["serve"], settings, `${server}/readyz`);
    const made = new Installation(server, sandbox, data, settings, service, provider);
    await Promise.all([provider.start(), service.start()]);
    await made.furnish();
    made.studio = await made.openStudio();
    return made;
  }

  async stop(): Promise<void> {
    await this.preview?.close();
    await Promise.all([this.service.stop(true), this.provider.stop(true)]);
    await rm(this.data, { recursive: true, force: true });
  }

  /** Takes the server away without notice. */
  killServer = () => this.service.stop(true);
  startServer = () => this.service.start();

  /** A request with the workspace's key; fails on errors. */
  async api<T = Json>(method: string, path: string, body?: unknown, key = this.key): Promise<T> {
    const answer = await fetch(this.server + path, {
      method,
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${text}`);
    return (text ? JSON.parse(text) : {}) as T;
  }

  /** Makes a workflow and, if wanted, publishes it; answers its id. */
  async workflow(document: Json, isPublished = false): Promise<string> {
    const { id } = await this.api<{ id: string }>("POST", "/api/workflows", {
      sluice: 1,
      edges: [],
      ...document,
    });
    if (isPublished) await this.api("POST", `/api/workflows/${id}/publish`);
    return id;
  }

  /** Starts a test run; answers its id. */
  async run(workflow: string, trigger: unknown = {}): Promise<string> {
    return (await this.api<{ id: string }>("POST", `/api/workflows/${workflow}/run`, { trigger })).id;
  }

  /** Waits until a run stands like this. */
  runIs = (id: string, status: string) =>
    until(`run ${id} ${status}`, async () => (await this.api("GET", `/api/runs/${id}`)).status === status);

  /** A customer writes: a signed webhook goes to the server. */
  async customerWrites(text: string, phone = "919876543210", name = "Asha"): Promise<void> {
    const message = { type: "text", text: { body: text } };
    const body = { phone_number_id: NUMBER.phone_number_id, from: { phone, name }, message };
    const answer = await fetch(`${this.sandbox}/_sandbox/whatsapp/inbound`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`the sandbox answered ${answer.status}: ${await answer.text()}`);
  }

  /** The code of six digits in the latest letter to an address. */
  codeFor = (email: string) =>
    until(`a letter to ${email}`, async () => {
      const answer = await fetch(`${this.sandbox}/_sandbox/mail?to=${encodeURIComponent(email)}`);
      return /\b\d{6}\b/g.exec((await answer.text()).split(email).at(-1) ?? "")?.[0];
    });

  /** Makes a person who can sign in. */
  async person(email: string, ...args: string[]): Promise<Account> {
    const line = await lastLine(["person", "create", "--email", email, ...args], this.environment);
    await this.api("POST", "/api/password/reset", { email, code: line, new_password: PASSWORD });
    return { email, password: PASSWORD };
  }

  /** Makes a reseller with somebody who runs it. */
  async reseller(name: string, email: string): Promise<Account> {
    const key = await lastLine(["key", "create", "--platform"], this.environment);
    await this.api("POST", "/api/resellers", { name, display_name: name }, key);
    const account = await this.person(
      email,
      "--name",
      "Nora North",
      "--as",
      "viewer",
      "--workspace",
      WORKSPACE,
    );
    const wish = { email, role: "reseller_admin" };
    const path = `/api/resellers/${name}/invitations`;
    const { token } = await this.api<{ token: string }>("POST", path, wish, key);
    const login = { ...account, tokens: true };
    const { tokens } = await this.api<{ tokens: { access_token: string } }>("POST", "/api/login", login);
    await this.api("POST", "/api/invitations/accept", { token }, tokens.access_token);
    return account;
  }

  private async furnish(): Promise<void> {
    this.key = await lastLine(["key", "create", "--workspace", WORKSPACE, "--create"], this.environment);
    await this.person(this.owner.email, "--name", "Olga Owner", "--as", "owner", "--workspace", WORKSPACE);
    await this.api("POST", "/api/credentials", {
      name: "whatsapp",
      kind: "whatsapp",
      public: { phone_number_id: NUMBER.phone_number_id },
      secret: { access_token: "sandbox-token" },
    });
    await this.api("POST", "/api/numbers", { ...NUMBER, credential: "whatsapp" });
  }

  /** The binary serves the studio; when it carries another build than this one, the build is served in front of it. */
  private async openStudio(): Promise<string> {
    const served = await fetch(this.server).then((answer) => answer.text());
    if (served === (await readFile(join(DIST, "index.html"), "utf8"))) return this.server;
    process.env.SLUICE_SERVER = this.server;
    this.preview = await preview({
      root: STUDIO,
      preview: { port: await freePort(), host: "127.0.0.1" },
      logLevel: "error",
    });
    return this.preview.resolvedUrls?.local[0]?.replace(/\/$/, "") ?? "";
  }
}
