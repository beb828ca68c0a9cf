<?php
// /fr/archive/<n>: twenty thousand cheap pages for bulk tests, without the framework's milliseconds.
declare(strict_types=1);

require dirname(__DIR__) . '/src/Database.php';

$path = (string) parse_url((string) $_SERVER['REQUEST_URI'], PHP_URL_PATH);
$host = (string) $_SERVER['HTTP_HOST'];
preg_match('#^/(fr|en)/archive/([0-9]+)$#', $path, $match);
[$locale, $n] = [$match[1] ?? 'fr', (int) ($match[2] ?? 0)];
$site = Lab\Database::connect()->prepare('SELECT name, archive_revision FROM site WHERE host = ?');
$site->execute([$host]);
$row = $site->fetch();
if ($row === false || $n < 1 || $n > 20000) {
    http_response_code(404);
    header('Content-Type: text/html; charset=utf-8');
    header('Cache-Control: public, max-age=10, s-maxage=30');
    echo "<!doctype html><title>404</title><h1>404</h1>\n";
    exit;
}
// The content is read before the wait: what a slow backend answers is already old.
usleep(1000 * max(0, min(3000, (int) ($_GET['delay'] ?? 0))));
$revision = (int) $row['archive_revision'];
$word = $locale === 'fr' ? 'révision' : 'revision';
header('Content-Type: text/html; charset=utf-8');
header('Content-Language: ' . $locale);
header('Cache-Control: public, max-age=60, s-maxage=600, stale-while-revalidate=60');
header('X-Accel-Expires: 30');
header('Vary: Accept-Encoding');
header("X-Revision: $revision");
header("xkey: archive archive-$n");
header("Cache-Tag: archive,archive-$n");
$other = $locale === 'fr' ? 'en' : 'fr';
header("Link: </fr/archive/$n>; rel=\"alternate\"; hreflang=\"fr\", </en/archive/$n>; rel=\"alternate\"; hreflang=\"en\"");
echo <<<HTML
<!doctype html>
<html lang="$locale"><head><meta charset="utf-8"><title>Archive $n · {$row['name']}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="revision" content="$revision">
<link rel="alternate" hreflang="$other" href="/$other/archive/$n"></head>
<body style="font:1rem/1.6 system-ui;max-width:40rem;margin:3rem auto;padding:0 1rem">
<p><a href="/$locale">{$row['name']}</a></p><h1>Archive $n</h1><p>$word $revision</p></body></html>

HTML;
