// What looks like a secret is not shown; what does not stays as it is.
import { expect, test } from "vitest";
import { maskedCommand, maskedLabels, maskedText } from "./mask";

test.each([
  [["redis-server", "--requirepass", "hush", "--port", "6379"], "redis-server --requirepass ••• --port 6379"],
  [["exporter", "--password=hush", "--web"], "exporter --password=••• --web"],
  [["app", "--dsn", "mysql://root:hush@db:3306/x"], "app --dsn mysql://root:•••@db:3306/x"],
  [["sh", "-c", "MYSQL_PWD=hush mysqladmin ping"], "sh -c MYSQL_PWD=••• mysqladmin ping"],
  [["sh", "-c", "redis-cli --pass hush ping"], "sh -c redis-cli --pass ••• ping"],
  [["sh", "-c", 'MYSQL_PWD="$MARIADB_PASSWORD" mariadb'], "sh -c MYSQL_PWD=••• mariadb"],
  [["nginx", "-g", "daemon off;"], "nginx -g daemon off;"],
  [["php", "bin/console", "messenger:consume", "async"], "php bin/console messenger:consume async"],
])("%j", (words, shown) => {
  expect(maskedCommand(words)).toBe(shown);
  expect(maskedCommand(words)).not.toContain("hush");
});

test("labels", () => {
  expect(
    maskedLabels({
      "traefik.http.middlewares.a.basicauth.users": "ada:$apr1$x",
      "traefik.http.routers.a.rule": "Host(`a.example`)",
      "app.secret": "hush",
      note: "see https://ada:hush@example.org",
    }),
  ).toEqual({
    "app.secret": "•••",
    note: "see https://ada:•••@example.org",
    "traefik.http.middlewares.a.basicauth.users": "•••",
    "traefik.http.routers.a.rule": "Host(`a.example`)",
  });
  expect(maskedText("the password expired")).toBe("the password expired");
});
