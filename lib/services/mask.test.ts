// What looks like a secret is not shown; what does not stays as it is.
import { expect, test } from "vitest";
import { maskedText } from "../errors/mask";
import { maskFor, programOf } from "./mask";

const plain = maskFor([]);

test.each([
  [["redis-server", "--requirepass", "hush", "--port", "6379"], "redis-server --requirepass ••• --port 6379"],
  [["exporter", "--password=hush", "--web"], "exporter --password=••• --web"],
  [["exporter", "--password", "-hush", "--web"], "exporter --password ••• --web"],
  [["app", "--dsn", "mysql://root:hush@db:3306/x"], "app --dsn mysql://root:•••@db:3306/x"],
  [["app", "--dsn", "mysql://root:hu/sh@2hush@db:3306/x"], "app --dsn mysql://root:•••@db:3306/x"],
  [["sh", "-c", "MYSQL_PWD=hush mysqladmin ping"], "sh -c MYSQL_PWD=••• mysqladmin ping"],
  [["sh", "-c", "redis-cli --pass hush ping"], "sh -c redis-cli --pass ••• ping"],
  [["redis-cli", "-a", "hush", "ping"], "redis-cli -a ••• ping"],
  [["mysqladmin", "ping", "-uroot", "-phush"], "mysqladmin ping -uroot -p•••"],
  [["sh", "-c", "mariadb-dump -p'hush hush' db"], "sh -c mariadb-dump -p••• db"],
  [["sshpass", "-p", "hush", "ssh", "host"], "sshpass -p ••• ssh host"],
  [["curl", "-f", "-u", "ada:hush", "http://web/"], "curl -f -u ada:••• http://web/"],
  [
    ["curl", "-H", "Authorization: Bearer hush.hush", "http://web/"],
    "curl -H Authorization: Bearer ••• http://web/",
  ],
  [["app", '{"password":"hush","port":1}'], 'app {"password":•••,"port":1}'],
  [["sh", "-c", 'MYSQL_PWD="$MARIADB_PASSWORD" mariadb'], "sh -c MYSQL_PWD=••• mariadb"],
  [["nginx", "-g", "daemon off;"], "nginx -g daemon off;"],
  [["ssh", "-p", "22", "-a", "host"], "ssh -p 22 -a host"],
  [["curl", "-f", "http://web:8080/health"], "curl -f http://web:8080/health"],
  [["php", "bin/console", "messenger:consume", "async"], "php bin/console messenger:consume async"],
])("%j", (words, shown) => {
  expect(plain.command(words)).toBe(shown);
  expect(plain.command(words)).not.toMatch(/hush/);
});

test("what its own environment calls a secret is hidden wherever it stands", () => {
  const mask = maskFor([
    "APP_SECRET=swordfish",
    "DB_PASSWORD_FILE=/run/secrets/db",
    "TOKEN=ab",
    "MODE=swordfishes",
  ]);
  expect(mask.command(["app", "--seed", "swordfish", "/run/secrets/db", "ab"])).toBe(
    "app --seed ••• /run/secrets/db ab",
  );
  expect(mask.labels({ job: "run swordfish now" })).toEqual({ job: "run ••• now" });
  expect(mask.text("refused: swordfish")).toBe("refused: •••");
});

test("who may not read commands sees the program", () => {
  expect(programOf(["redis-server", "--requirepass", "hush"])).toBe("redis-server …");
  expect(programOf(["sh -c 'x'"])).toBe("sh …");
  expect(programOf(["nginx"])).toBe("nginx");
  expect(programOf([])).toBe("");
});

test("labels", () => {
  expect(
    plain.labels({
      "traefik.http.middlewares.a.basicauth.users": "ada:$apr1$x",
      "traefik.http.routers.a.rule": "Host(`a.example`)",
      "app.secret": "hush",
      "ofelia.job-exec.dump.command": "mysqldump -phush db",
      note: "see https://ada:hush@example.org",
    }),
  ).toEqual({
    "app.secret": "•••",
    note: "see https://ada:•••@example.org",
    "ofelia.job-exec.dump.command": "mysqldump -p••• db",
    "traefik.http.middlewares.a.basicauth.users": "•••",
    "traefik.http.routers.a.rule": "Host(`a.example`)",
  });
  expect(maskedText("the password expired")).toBe("the password expired");
});

test.each([
  "STRIPE_API_KEY=hush",
  "api_key: hush",
  "access_key=hush",
  "X-Auth-Key: hush",
  "Set-Cookie: PHPSESSID=hush; path=/",
  '{"message":"{\\"password\\":\\"hush\\",\\"a\\":1}"}',
  "MYCOMPANY_PRODUCTION_EU_WEST_DATABASE_PRIMARY_PASSWORD=hush",
  '{"token":"hush that was cut',
  "password=hush,hush;hush",
  'password="hu\\"hush"',
])("a secret is found in %s", (text) => {
  expect(maskedText(text)).toContain("•••");
  expect(maskedText(text)).not.toContain("hush");
});

test.each(["$apr1$salt$hush", "$2y$05$hush", "$6$salt$hush", "$argon2id$v=19$hush"])(
  "the hash %s is no word to be told",
  (hash) => {
    expect(maskedText(`user "ada:${hash}" is not known`)).toBe('user "ada:•••" is not known');
  },
);

test("a long line costs no more than its length", () => {
  const begun = performance.now();
  for (const word of ["pass-", "a1", "a-", "a://b:", "secret", "authorization: "])
    maskedText(word.repeat(64_000 / word.length));
  expect(performance.now() - begun).toBeLessThan(5000);
});
