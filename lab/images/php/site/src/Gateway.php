<?php
declare(strict_types=1);

namespace Lab;

use Symfony\Contracts\HttpClient\HttpClientInterface;

/** Tells the gateway what changed, in the words of one of the PHP clients that are out there. */
final class Gateway
{
    /** Value of the form's select => what it says there. */
    public const DIALECTS = [
        'roadiz' => 'Roadiz: PURGE of the page\'s address',
        'api-platform' => 'API Platform: BAN, ApiPlatform-Ban-Regex',
        'xkey' => 'PURGE with xkey',
        'surrogate-key' => 'PURGE with Surrogate-Key',
        'x-cache-tags' => 'FOSHttpCache: BAN with X-Cache-Tags',
        'roadiz-everything' => 'Roadiz: BAN of the whole host',
    ];

    public function __construct(private HttpClientInterface $client, private Articles $articles, private \Redis $redis)
    {
    }

    public function url(): ?string
    {
        $url = $this->articles->setting('gateway') ?? (string) getenv('SLUICE_GATEWAY_URL');

        return $url === '' ? null : rtrim($url, '/');
    }

    public function tell(TellCaches $message): void
    {
        $base = $this->url();
        if ($base === null) {
            $this->note($message, 'not sent: no gateway is set');

            return;
        }
        [$method, $path, $headers] = $this->words($message);
        $headers['Host'] = $message->host;
        $token = (string) getenv('SLUICE_GATEWAY_TOKEN');
        if ($token !== '') {
            $headers['Authorization'] = "Bearer $token";
        }
        try {
            $status = $this->client->request($method, $base . $path, ['headers' => $headers, 'timeout' => 10, 'max_duration' => 15])->getStatusCode();
        } catch (\Throwable $error) {
            $this->note($message, 'failed: ' . $error->getMessage());
            throw $error;
        }
        $this->note($message, "$method $path: $status");
        if ($status >= 400) {
            // Unlike the real ones, a refusal is not taken for success: the queue tries again.
            throw new \RuntimeException("the gateway answered $status");
        }
    }

    /** @return list<string> */
    public function notes(): array
    {
        return $this->redis->lRange('lab:notes', 0, 19);
    }

    /** @return array{string, string, array<string, string>} */
    private function words(TellCaches $message): array
    {
        $iris = implode('|', array_map(static fn (string $iri) => preg_quote($iri), $message->iris));
        $tags = implode('|', array_map(static fn (string $tag) => preg_quote($tag), $message->tags));

        return match ($message->dialect) {
            'roadiz' => ['PURGE', $message->path, []],
            'roadiz-everything' => ['BAN', '/', []],
            'api-platform' => ['BAN', '/', ['ApiPlatform-Ban-Regex' => "($iris)(\$|\\,)"]],
            'xkey' => ['PURGE', '/', ['xkey' => implode(' ', $message->tags)]],
            'surrogate-key' => ['PURGE', '/', ['Surrogate-Key' => implode(' ', $message->tags)]],
            'x-cache-tags' => ['BAN', '/', ['X-Cache-Tags' => "(^|,)($tags)(,|\$)"]],
            default => throw new \InvalidArgumentException("no such dialect: {$message->dialect}"),
        };
    }

    private function note(TellCaches $message, string $what): void
    {
        $this->redis->lPush('lab:notes', sprintf('%s %s %s %s', gmdate('H:i:s'), $message->host, $message->dialect, $what));
        $this->redis->lTrim('lab:notes', 0, 99);
    }
}
