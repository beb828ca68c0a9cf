<?php
declare(strict_types=1);

namespace Lab;

use Symfony\Component\HttpFoundation\Response;

/** What the layers outside are told. */
final class CacheHeaders
{
    /**
     * @param array<string, mixed> $page
     * @template T of Response @param T $response @return T
     */
    public static function apply(Response $response, array $page, string $vary): Response
    {
        $links = [];
        foreach ($page['alternates'] as $locale => $path) {
            $links[] = sprintf('<%s>; rel="alternate"; hreflang="%s"', $path, $locale);
        }
        $response->headers->add([
            'Cache-Control' => 'public, max-age=60, s-maxage=600, stale-while-revalidate=60',
            // For the web server's own cache only; it takes the header out.
            'X-Accel-Expires' => '30',
            'Vary' => $vary,
            'Content-Language' => $page['locale'],
            'Link' => implode(', ', $links),
            'X-Revision' => (string) $page['revision'],
            'X-Fragment' => $page['fragment'] ?? 'NONE',
            // Words as FOSHttpCache sends them, IRIs as API Platform does, words again for the CDN.
            'xkey' => implode(' ', $page['tags']),
            'Cache-Tags' => implode(',', $page['iris']),
            'Cache-Tag' => implode(',', $page['tags']),
        ]);

        return $response;
    }

    /** @template T of Response @param T $response @return T */
    public static function missing(Response $response): Response
    {
        $response->headers->set('Cache-Control', 'public, max-age=10, s-maxage=30');
        $response->headers->set('X-Accel-Expires', '5');

        return $response;
    }
}
