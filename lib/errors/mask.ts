// Secrets that stand in what foreign systems say: in commands, options and addresses. What looks like one is not passed on.

/** Stands for what is not shown. */
export const hidden = "•••";

/** Quoted (in JSON within a text by \", too, and cut off before its end), or up to the next space. */
const value = String.raw`(\\"(?:(?!\\").)*(?:\\"|$)|"(?:[^"\\]|\\.)*(?:"|$)|'[^']*(?:'|$)|(?:(?!,["'\s])[^\s"'&}\\])+)`;
// Bounded: a long word that begins again and again must not cost its square.
const telling = String.raw`[\w-]{0,40}(?:pass(?:word|wd|phrase)?|pwd|secret|token|(?:api|access|private|auth|encryption|signing)[-_]?key|requirepass|masterauth)[\w-]{0,40}`;
const named = new RegExp(String.raw`((?:--?)?${telling})(\\?["']?\s*[=:]\s*|\s+)${value}`, "gi");
/** Programs that take a password by a letter, and how. */
const byLetter: readonly [program: RegExp, option: RegExp][] = [
  [/\b(?:mysql|mariadb)[\w-]*\b/i, /(\s-p)(?=[^\s-])("[^"]*"|'[^']*'|\S+)/g],
  [/\bredis-cli\b/i, /(\s-a\s+)("[^"]*"|'[^']*'|\S+)/g],
  [/\bsshpass\b/i, /(\s-p\s*)("[^"]*"|'[^']*'|\S+)/g],
  [/\b(?:mongo|mongosh|ldap\w+|rabbitmqadmin)\b/i, /(\s-[pw]\s+)("[^"]*"|'[^']*'|\S+)/g],
  [/\b(?:curl|wget|http|https|xh)\b/i, /(\s(?:-u|--user|-a|--auth)[\s=]+["']?[^\s:"']+:)([^\s"']+)/g],
];

/** As crypt writes it: $apr1$…, $2y$…, $6$… */
const hash = /\$(?:apr1|2[abxy]?|1|5|6|7|y|argon2\w{0,2}|scrypt|pbkdf2[\w-]{0,20})\$[^\s"'`]+/g;

/**
 * A text with `password=…`, `--token …`, `scheme://user:…@`, `Authorization: …`, passwords by letter (`mysql -p…`) and their hashes taken
 * out.
 */
export function maskedText(text: string): string {
  const plain = text
    // Up to the last @: a password may hold / and @.
    .replace(/([a-z][a-z0-9+.-]{0,30}:\/\/[^\s:/@"']{0,200}):[^\s"']{1,1000}@/gi, `$1:${hidden}@`)
    .replace(hash, hidden)
    .replace(
      /(authorization["']?\s*[:=]\s*["']?)(?:(basic|bearer|digest|token|apikey)\s+)?[^\s"']+/gi,
      (_, name: string, scheme: string | undefined) =>
        `${name}${scheme === undefined ? "" : `${scheme} `}${hidden}`,
    )
    .replace(/(\bcookie["']?\s*[:=]\s*)[^\r\n]+/gi, `$1${hidden}`)
    .replace(/\b(bearer)\s+[\w.~+/=-]{6,}/gi, `$1 ${hidden}`)
    .replace(named, (whole, name: string, between: string) =>
      // "password expired" in plain words is no option; "--password x", "password=x" and "\"password\": x" are.
      /[=:]/.test(between) || name.startsWith("-") ? `${name}${between}${hidden}` : whole,
    );
  return byLetter.reduce(
    (shown, [program, option]) => (program.test(shown) ? shown.replace(option, `$1${hidden}`) : shown),
    plain,
  );
}
