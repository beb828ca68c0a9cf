// The looks at a web server, a pool of PHP-FPM, an address, a port and a mail server: well, wrong, hanging, and something else there.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTls } from "node:https";
import type { AddressInfo } from "node:net";
import { createServer as createTcp, type Socket, type Server as TcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { probe as probeAddress } from "./http/address";
import { probe as probeNginx } from "./nginx/http";
import { probe as probePhpFpm } from "./php-fpm/status";
import { probe as probeSmtp, sendMail } from "./smtp/smtp";
import type { Probed } from "./system";
import { probe as probeTcp } from "./tcp";

const open: (Server | TcpServer)[] = [];
const sockets = new Set<Socket>();
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  for (const server of open.splice(0)) await new Promise((resolve) => server.close(resolve));
});
async function listening<S extends Server | TcpServer>(server: S): Promise<number> {
  open.push(server);
  server.on("connection", (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}
const web = (answer: RequestListener) => listening(createServer(answer));
const problem = (probed: Probed) => (probed.state === "down" ? probed.error.detail.problem : probed.state);
const timeout = 300;

test("stub_status: its figures; a page that is none is said so", async () => {
  const port = await web((request, answer) => {
    if (request.url === "/stub_status")
      answer.end(
        "Active connections: 3 \nserver accepts handled requests\n 10 9 42 \nReading: 0 Writing: 1 Waiting: 2 \n",
      );
    else answer.end("<h1>hello</h1>");
  });
  const at = { name: "web", url: `http://127.0.0.1:${port}`, timeout };
  expect(await probeNginx({ ...at, status: "/stub_status" })).toMatchObject({
    state: "up",
    data: { facts: { active: 3, waiting: 2 }, counters: { accepted: 10, dropped: 1, requests: 42 } },
  });
  expect(problem(await probeNginx({ ...at, status: "/" }))).toBe("nginx.noStatus");
});

test("PHP-FPM: processes, a queue and a busy pool want a look; a page that is none", async () => {
  const page = {
    pool: "www",
    "process manager": "static",
    "start since": 100,
    "accepted conn": 55,
    "listen queue": 0,
    "idle processes": 9,
    "active processes": 1,
    "total processes": 10,
    "max children reached": 0,
    "slow requests": 0,
  };
  let told: unknown = page;
  const port = await web((_, answer) => answer.end(JSON.stringify(told)));
  const at = { name: "php", url: `http://127.0.0.1:${port}/fpm-status`, status: "/status", timeout };
  expect(await probePhpFpm(at)).toMatchObject({
    state: "up",
    data: { facts: { processes: "1 / 10", queue: 0 }, counters: { requests: 55 }, concerns: [] },
  });
  told = { ...page, "listen queue": 4 };
  expect(await probePhpFpm(at)).toMatchObject({ data: { concerns: [{ problem: "php_fpm.queue" }] } });
  told = { ...page, "active processes": 10 };
  expect(await probePhpFpm(at)).toMatchObject({ data: { concerns: [{ problem: "php_fpm.allBusy" }] } });
  told = { hello: "world" };
  expect(problem(await probePhpFpm(at))).toBe("php_fpm.noStatus");
});

const address = (url: string) => ({
  name: "crm",
  url,
  method: "GET" as const,
  headers: { "x-health-check": "token" },
  expect_status: [] as number[],
  tls_days: 14,
  timeout,
});

test("an address: the right answer, a wrong status or body, one that hangs, one that is refused", async () => {
  const port = await web((request, answer) => {
    if (request.url === "/hang") return;
    answer.statusCode =
      request.url === "/bad" ? 503 : request.headers["x-health-check"] === "token" ? 200 : 404;
    answer.end('{"status":"pass"}');
  });
  const at = (path: string) => address(`http://127.0.0.1:${port}${path}`);
  expect(await probeAddress(at("/"))).toMatchObject({ state: "up", data: { facts: { status: 200 } } });
  expect(problem(await probeAddress(at("/bad")))).toBe("http.status");
  expect(problem(await probeAddress({ ...at("/bad"), expect_status: [503] }))).toBe("up");
  expect(problem(await probeAddress({ ...at("/"), expect_body: '"status":"fail"' }))).toBe("http.body");
  expect(problem(await probeAddress(at("/hang")))).toBe("http.timeout");
  expect(problem(await probeAddress(address("http://127.0.0.1:1/")))).toBe("http.connectionRefused");
});

test("an address over TLS that nobody vouches for is down", async () => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-tls-"));
  try {
    const [key, cert] = [join(folder, "key"), join(folder, "cert")];
    execFileSync(
      "openssl",
      [
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        key,
        "-out",
        cert,
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
      ],
      { stdio: "ignore" },
    );
    const port = await listening(
      createTls({ key: readFileSync(key), cert: readFileSync(cert) }, (_, answer) => answer.end("ok")),
    );
    expect(problem(await probeAddress(address(`https://localhost:${port}/`)))).toBe("http.certificate");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("a port: open, closed", async () => {
  const port = await listening(createTcp((socket) => socket.end()));
  expect(problem(await probeTcp({ name: "ldap", address: `127.0.0.1:${port}`, timeout }))).toBe("up");
  expect(problem(await probeTcp({ name: "ldap", address: "127.0.0.1:1", timeout }))).toBe(
    "http.connectionRefused",
  );
});

/** A mail server with one user, that takes what it is given. */
function mailServer(taken: string[], { refuse = false } = {}): TcpServer {
  return createTcp((socket) => {
    let data: string[] | null = null;
    let rest = "";
    const say = (text: string) => socket.write(`${text}\r\n`);
    say("220 test");
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      rest += chunk.toString("utf8");
      for (let end = rest.indexOf("\r\n"); end >= 0; end = rest.indexOf("\r\n")) {
        const line = rest.slice(0, end);
        rest = rest.slice(end + 2);
        if (data !== null) {
          if (line === ".") {
            taken.push(data.join("\n"));
            data = null;
            say("250 taken");
          } else data.push(line);
        } else if (/^EHLO/i.test(line)) socket.write("250-test\r\n250 AUTH PLAIN\r\n");
        else if (/^AUTH PLAIN/i.test(line)) {
          const given = Buffer.from(line.split(" ")[2] ?? "", "base64").toString("utf8");
          say(given === "\0ada\0lovelace" ? "235 in" : "535 no");
        } else if (/^RCPT/i.test(line)) say(refuse ? "550 nobody of that name" : "250 ok");
        else if (/^DATA/i.test(line)) {
          data = [];
          say("354 go on");
        } else if (/^QUIT/i.test(line)) socket.end("221 bye\r\n");
        else say("250 ok");
      }
    });
  });
}

test("a mail server: signs in, takes a mail whole, refuses a wrong password, an unknown reader, and hangs", async () => {
  const taken: string[] = [];
  const port = await listening(mailServer(taken));
  const server = {
    name: "mail",
    address: `127.0.0.1:${port}`,
    tls: "never" as const,
    username: "ada",
    password: "lovelace",
    timeout,
  };
  const mail = {
    from: "sluice@example.org",
    to: ["ops@example.org"],
    subject: "MariaDB ist weg, être là",
    text: "hello",
    html: "<p>hello</p>",
    messageId: "<1@sluice>",
  };
  expect(problem(await probeSmtp(server))).toBe("up");
  expect(await sendMail(server, mail)).toContain("250 taken");
  expect(taken[0]).toContain("Message-ID: <1@sluice>");
  expect(taken[0]).toContain("<p>hello</p>");
  const wrong = await probeSmtp({ ...server, password: "wrong" });
  expect(problem(wrong)).toBe("smtp.auth");
  expect(JSON.stringify(wrong)).not.toContain("wrong");
  const strict = await listening(mailServer([], { refuse: true }));
  await expect(sendMail({ ...server, address: `127.0.0.1:${strict}` }, mail)).rejects.toMatchObject({
    code: "REFUSED",
    detail: { problem: "smtp.refused", params: { says: expect.stringContaining("550") } },
  });
  const silent = await listening(createTcp(() => {}));
  expect(problem(await probeSmtp({ ...server, address: `127.0.0.1:${silent}` }))).toBe("http.timeout");
  expect(problem(await probeSmtp({ ...server, address: "127.0.0.1:1" }))).toBe("http.connectionRefused");
});
