<?php
declare(strict_types=1);

namespace Lab;

use Symfony\Component\HttpFoundation\RedirectResponse;
use Symfony\Component\HttpFoundation\Request;
use Symfony\Component\HttpFoundation\Response;
use Twig\Environment;

final class SiteController
{
    public function __construct(private Pages $pages, private Articles $articles, private Environment $twig, private Search $search)
    {
    }

    public function root(): Response
    {
        $answer = new RedirectResponse('/fr', 302);
        $answer->headers->set('Cache-Control', 'no-store, private');

        return $answer;
    }

    public function page(Request $request, string $_locale): Response
    {
        $path = rawurldecode($request->getPathInfo());
        $page = $this->pages->find($request->getHost(), $path);
        $this->pages->wait($path, $request->query->get('delay'));
        if ($page === null) {
            return CacheHeaders::missing(new Response($this->twig->render('missing.html.twig', ['locale' => $_locale]), 404));
        }

        return CacheHeaders::apply(new Response($this->twig->render('page.html.twig', ['page' => $page, 'host' => $request->getHost()])), $page, 'Accept-Encoding');
    }

    /** Never cached: every search reaches Solr. Without it the page says so, and the rest of the site stays. */
    public function search(Request $request, string $_locale): Response
    {
        $host = $request->getHost();
        $asked = mb_substr(trim((string) $request->query->get('q', '')), 0, 100);
        $found = $asked === '' || $this->articles->site($host) === null ? [] : $this->search->find($host, $_locale, $asked);

        return new Response(
            $this->twig->render('search.html.twig', ['locale' => $_locale, 'asked' => $asked, 'found' => $found]),
            $found === null ? 503 : 200,
            ['Cache-Control' => 'no-store, private', 'X-Accel-Expires' => '0'],
        );
    }

    public function media(Request $request, string $name): Response
    {
        $file = dirname(__DIR__) . "/media/$name";
        if (!is_file($file)) {
            return CacheHeaders::missing(new Response("404\n", 404, ['Content-Type' => 'text/plain']));
        }

        return new Response((string) file_get_contents($file), 200, [
            'Content-Type' => str_ends_with($name, '.svg') ? 'image/svg+xml' : 'text/plain; charset=utf-8',
            'Cache-Control' => 'public, max-age=3600, s-maxage=86400',
            'Cache-Tags' => "media,media-$name",
            'Cache-Tag' => "media,media-$name",
            'X-Accel-Expires' => '30',
        ]);
    }

    public function sitemap(Request $request): Response
    {
        $port = getenv('PUBLIC_PORT') ?: '80';
        $origin = 'http://' . $request->getHost() . ($port === '80' ? '' : ":$port");
        $pages = [['fr' => '/fr', 'en' => '/en'], ['fr' => '/fr/' . Pages::LISTS['fr'], 'en' => '/en/' . Pages::LISTS['en']]];
        foreach ($this->articles->all($request->getHost()) as $row) {
            $pages[] = ['fr' => "/fr/{$row['fr_slug']}", 'en' => "/en/{$row['en_slug']}"];
        }

        return new Response($this->twig->render('sitemap.xml.twig', ['origin' => $origin, 'pages' => $pages]), 200, [
            'Content-Type' => 'application/xml',
            'Cache-Control' => 'public, max-age=60, s-maxage=600',
            'Cache-Tags' => 'sitemap,list-articles',
            'Cache-Tag' => 'sitemap,list-articles',
            'X-Accel-Expires' => '30',
        ]);
    }
}
