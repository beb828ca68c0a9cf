<?php
declare(strict_types=1);

namespace Lab;

/**
 * The content of a page, from Redis if it is there: `fragment:<host>:<locale>:<path>`. The HTML and
 * the API share it, so after an edit both stay old until that key is removed or its time is up.
 */
final class Pages
{
    public const LISTS = ['fr' => 'evenements', 'en' => 'events'];
    private const SLOW = ['lent', 'slow'];

    public function __construct(private Articles $articles, private \Redis $redis)
    {
    }

    /** @return array<string, mixed>|null */
    public function find(string $host, string $path): ?array
    {
        if (!preg_match('#^/(fr|en)(?:/([^/]+))?$#', $path, $match)) {
            return null;
        }
        $key = "fragment:$host:{$match[1]}:$path";
        $kept = $this->redis->get($key);
        if (is_string($kept)) {
            return json_decode($kept, true, 64, JSON_THROW_ON_ERROR) + ['fragment' => 'HIT'];
        }
        $page = $this->make($host, $match[1], $match[2] ?? '');
        if ($page !== null) {
            $this->redis->setex($key, (int) (getenv('FRAGMENT_TTL') ?: 1800), json_encode($page, JSON_THROW_ON_ERROR));
            $page['fragment'] = 'MISS';
        }

        return $page;
    }

    /** Waits as the address asks. Called after the content was read, so that what is answered can be old. */
    public function wait(string $path, mixed $delay): void
    {
        $slow = in_array(basename($path), self::SLOW, true) ? 2000 : 0;
        usleep(1000 * max(0, min(3000, is_numeric($delay) ? (int) $delay : $slow)));
    }

    /** @return array<string, mixed>|null */
    private function make(string $host, string $locale, string $slug): ?array
    {
        $site = $this->articles->site($host);
        if ($site === null) {
            return null;
        }
        if ($slug === '' || $slug === self::LISTS[$locale]) {
            $items = array_map(fn (array $row) => $this->teaser($row, $locale), $this->articles->all($host));

            return [
                'kind' => $slug === '' ? 'home' : 'list',
                'site' => $site['name'],
                'id' => $slug === '' ? 1 : 2,
                'iri' => $slug === '' ? '/api/pages/1' : '/api/pages/2',
                'locale' => $locale,
                'path' => $slug === '' ? "/$locale" : "/$locale/$slug",
                'title' => $slug === '' ? $site['name'] : ($locale === 'fr' ? 'Événements' : 'Events'),
                'body' => '',
                'revision' => (int) $site['revision'],
                'publishedAt' => null,
                'alternates' => $slug === '' ? ['fr' => '/fr', 'en' => '/en'] : ['fr' => '/fr/' . self::LISTS['fr'], 'en' => '/en/' . self::LISTS['en']],
                'tags' => ['list-articles', ...array_map(static fn (array $item) => "article-{$item['id']}", $items)],
                'iris' => ['/api/articles', ...array_map(static fn (array $item) => $item['iri'], $items)],
                'items' => $slug === '' ? array_slice($items, 0, 6) : $items,
            ];
        }
        $row = $this->articles->bySlug($host, $locale, $slug);
        if ($row === null) {
            return null;
        }

        return [
            'kind' => 'article',
            'site' => $site['name'],
            'body' => (string) $row[$locale . '_body'],
            'alternates' => ['fr' => "/fr/{$row['fr_slug']}", 'en' => "/en/{$row['en_slug']}"],
            'tags' => ["article-{$row['id']}"],
            'iris' => ["/api/articles/{$row['id']}"],
            'items' => [],
        ] + $this->teaser($row, $locale);
    }

    /** @param array<string, mixed> $row @return array<string, mixed> */
    private function teaser(array $row, string $locale): array
    {
        return [
            'id' => (int) $row['id'],
            'iri' => "/api/articles/{$row['id']}",
            'locale' => $locale,
            'path' => "/$locale/{$row[$locale . '_slug']}",
            'title' => (string) $row[$locale . '_title'],
            'revision' => (int) $row['revision'],
            'publishedAt' => $row['published_at'],
        ];
    }
}
