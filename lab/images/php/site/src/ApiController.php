<?php
declare(strict_types=1);

namespace Lab;

use Symfony\Component\HttpFoundation\JsonResponse;
use Symfony\Component\HttpFoundation\Request;
use Symfony\Component\HttpFoundation\Response;

/** The API as a Roadiz site has it: one answer holds all that a page needs. */
final class ApiController
{
    private const VARY = 'Accept, Authorization, Origin, Accept-Encoding, Content-Type';

    public function __construct(private Pages $pages, private Articles $articles)
    {
    }

    /** Whether the site can do its work: what it needs is asked, and never cached. */
    public function health(\Redis $redis): Response
    {
        $checks = [];
        foreach (['database' => fn () => Database::connect()->query('SELECT 1'), 'redis' => fn () => $redis->ping()] as $name => $ask) {
            try {
                $ask();
                $checks[$name] = 'pass';
            } catch (\Throwable) {
                $checks[$name] = 'fail';
            }
        }
        $well = !in_array('fail', $checks, true);

        return new JsonResponse(
            ['status' => $well ? 'pass' : 'fail', 'checks' => $checks],
            $well ? 200 : 503,
            ['Cache-Control' => 'no-store'],
        );
    }

    public function webResponse(Request $request): Response
    {
        $path = (string) $request->query->get('path', '');
        $page = $this->pages->find($request->getHost(), $path);
        $this->pages->wait($path, $request->query->get('delay'));
        if ($page === null) {
            return $this->missing("No page at $path");
        }
        $blocks = [['@type' => 'NSTextBlock', 'name' => 'text', 'content' => $page['body']]];
        foreach ($page['items'] as $item) {
            $blocks[] = ['@type' => 'NSTeaserBlock', 'name' => "teaser-{$item['id']}", 'title' => $item['title'], 'url' => $item['path'], 'revision' => $item['revision']];
        }
        $alternates = [];
        foreach ($page['alternates'] as $locale => $url) {
            $alternates[] = ['locale' => $locale, 'url' => $url];
        }

        return $this->json([
            '@context' => '/api/contexts/WebResponse',
            '@id' => '/api/web_response_by_path?path=' . rawurlencode($path),
            '@type' => 'WebResponse',
            'item' => [
                '@id' => $page['iri'],
                '@type' => $page['kind'] === 'article' ? 'NSArticle' : 'NSPage',
                'title' => $page['title'],
                'publishedAt' => $page['publishedAt'],
                'url' => $page['path'],
                'revision' => $page['revision'],
            ],
            'revision' => $page['revision'],
            'breadcrumbs' => ['items' => [['title' => $page['site'], 'url' => '/' . $page['locale']]]],
            'head' => ['metaTitle' => $page['title'] . ' – ' . $page['site'], 'siteName' => $page['site']],
            'blocks' => $blocks,
            'realms' => [],
            'hidingBlocks' => false,
            'alternates' => $alternates,
        ], $page, $request);
    }

    public function common(Request $request): Response
    {
        $locale = $request->query->get('_locale') === 'en' ? 'en' : 'fr';
        $site = $this->articles->site($request->getHost());
        if ($site === null) {
            return $this->missing('Unknown site');
        }
        $page = ['revision' => (int) $site['revision'], 'locale' => $locale, 'alternates' => [], 'tags' => ['common-content'], 'iris' => ['/api/common_content']];

        return $this->json([
            '@id' => '/api/common_content',
            '@type' => 'CommonContent',
            'revision' => $page['revision'],
            'head' => ['siteName' => $site['name']],
            'menus' => ['mainMenuWalker' => ['children' => [
                ['item' => ['title' => $locale === 'fr' ? 'Accueil' : 'Home', 'url' => "/$locale"]],
                ['item' => ['title' => $locale === 'fr' ? 'Événements' : 'Events', 'url' => "/$locale/" . Pages::LISTS[$locale]]],
            ]]],
        ], $page, $request);
    }

    public function article(Request $request, int $id): Response
    {
        $row = $this->articles->byId($request->getHost(), $id);
        if ($row === null) {
            return $this->missing("No article $id");
        }
        $locale = $request->query->get('_locale') === 'en' ? 'en' : 'fr';
        $page = [
            'revision' => (int) $row['revision'],
            'locale' => $locale,
            'alternates' => ['fr' => "/fr/{$row['fr_slug']}", 'en' => "/en/{$row['en_slug']}"],
            'tags' => ["article-$id"],
            'iris' => ["/api/articles/$id"],
        ];

        return $this->json([
            '@id' => "/api/articles/$id",
            '@type' => 'NSArticle',
            'title' => $row[$locale . '_title'],
            'content' => $row[$locale . '_body'],
            'url' => $page['alternates'][$locale],
            'revision' => $page['revision'],
        ], $page, $request);
    }

    /** @param array<string, mixed> $body @param array<string, mixed> $page */
    private function json(array $body, array $page, Request $request): Response
    {
        $ld = str_contains((string) $request->headers->get('Accept'), 'application/ld+json');
        $answer = (new JsonResponse($body))->setEncodingOptions(JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE);
        $answer->headers->set('Content-Type', $ld ? 'application/ld+json; charset=utf-8' : 'application/json; charset=utf-8');

        return CacheHeaders::apply($answer, $page, self::VARY);
    }

    private function missing(string $detail): Response
    {
        return CacheHeaders::missing(new JsonResponse(['@type' => 'hydra:Error', 'hydra:title' => 'Not found', 'hydra:description' => $detail], 404));
    }
}
