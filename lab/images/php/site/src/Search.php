<?php
declare(strict_types=1);

namespace Lab;

use Symfony\Contracts\HttpClient\HttpClientInterface;

/** The articles in Solr. The site does without it: whoever calls is told, and nothing is thrown. */
final class Search
{
    private string $base;

    public function __construct(private HttpClientInterface $client)
    {
        $this->base = (getenv('SOLR_URL') ?: 'http://solr:8983') . '/solr/site';
    }

    /** @param list<array<string, mixed>> $rows as Articles gives them */
    public function index(array $rows): bool
    {
        $documents = [];
        foreach ($rows as $row) {
            foreach (Articles::LOCALES as $locale) {
                $documents[] = [
                    'id' => "{$row['host']}:$locale:{$row['id']}",
                    'host' => $row['host'],
                    'locale' => $locale,
                    'path' => "/$locale/{$row[$locale . '_slug']}",
                    'title' => $row[$locale . '_title'],
                    'body' => $row[$locale . '_body'],
                    'revision' => (int) $row['revision'],
                ];
            }
        }

        return $this->ask('POST', '/update', ['query' => ['commitWithin' => 500], 'json' => $documents]) !== null;
    }

    /** @return list<array{path: string, title: string}>|null null where Solr does not answer */
    public function find(string $host, string $locale, string $asked): ?array
    {
        $told = $this->ask('GET', '/select', ['query' => [
            'q' => $asked,
            'defType' => 'edismax',
            'qf' => 'title^3 body',
            'fq' => "+host:\"$host\" +locale:$locale",
            'fl' => 'path,title',
            'rows' => 20,
        ]]);

        return $told['response']['docs'] ?? null;
    }

    public function ready(): bool
    {
        return $this->ask('GET', '/admin/ping', []) !== null;
    }

    /** @param array<string, mixed> $options @return array<string, mixed>|null */
    private function ask(string $method, string $path, array $options): ?array
    {
        try {
            // Short: a visitor waits for it.
            return $this->client->request($method, $this->base . $path, $options + ['timeout' => 1.5, 'max_duration' => 3])->toArray();
        } catch (\Throwable $error) {
            error_log('Solr: ' . $error->getMessage());

            return null;
        }
    }
}
