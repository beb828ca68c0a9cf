<?php
declare(strict_types=1);

namespace Lab;

use Symfony\Component\HttpFoundation\JsonResponse;
use Symfony\Component\HttpFoundation\RedirectResponse;
use Symfony\Component\HttpFoundation\Request;
use Symfony\Component\HttpFoundation\Response;
use Symfony\Component\Messenger\MessageBusInterface;
use Twig\Environment;

/** The back office. No sign-in: it is a lab, on loopback. */
final class AdminController
{
    public function __construct(
        private Articles $articles,
        private Gateway $gateway,
        private Search $search,
        private MessageBusInterface $bus,
        private Environment $twig,
    ) {
    }

    public function index(Request $request): Response
    {
        $host = $request->getHost();

        return $this->html('admin.html.twig', [
            'host' => $host,
            'site' => $this->articles->site($host),
            'articles' => $this->articles->all($host),
            'gateway' => $this->gateway->url(),
            'notes' => $this->gateway->notes(),
            'flash' => $this->flash($request),
        ]);
    }

    public function json(Request $request): Response
    {
        $rows = $this->articles->all($request->getHost());

        return $this->plain(array_map(static fn (array $row) => [
            'id' => (int) $row['id'],
            'revision' => (int) $row['revision'],
            'paths' => ['fr' => "/fr/{$row['fr_slug']}", 'en' => "/en/{$row['en_slug']}"],
            'title' => ['fr' => $row['fr_title'], 'en' => $row['en_title']],
        ], $rows));
    }

    public function edit(Request $request, int $id): Response
    {
        $host = $request->getHost();
        $article = $this->articles->byId($host, $id);
        if ($article === null) {
            return $this->plain(['error' => "no article $id on $host"], 404);
        }
        if ($request->isMethod('POST')) {
            $fields = array_map('strval', $request->request->all());
            if (($fields['action'] ?? '') === 'publish') {
                $revision = $this->articles->publish($host, $id, $fields);
$this->search->index([$this->articles->byId($host, $id)]);
                $told = isset($fields['notify']);
                if ($told) {
                    $this->tell($article, $host, $fields['dialect'] ?? 'roadiz');
                }
                $flash = "Published: revision $revision. " . ($told ? 'The caches are being told.' : 'The caches were not told.');
            } else {
                $this->articles->saveDraft($id, $fields);
                $flash = 'Draft saved. Visitors see no change.';
            }
            $request->getSession()->set('flash', $flash);

            return $this->uncached(new RedirectResponse("/admin/articles/$id", 303));
        }
        $draft = $article['draft'] === null ? [] : json_decode((string) $article['draft'], true, 8, JSON_THROW_ON_ERROR);

        return $this->html('edit.html.twig', [
            'host' => $host,
            'article' => $draft + $article,
            'draft' => $draft !== [],
            'dialects' => Gateway::DIALECTS,
            'gateway' => $this->gateway->url(),
            'notes' => $this->gateway->notes(),
            'flash' => $this->flash($request),
        ]);
    }

    /** The same for programs: {"title"?, "locale"?, "body"?, "notify"?, "dialect"?} to {"revision"}. */
    public function publish(Request $request, int $id): Response
    {
        $host = $request->getHost();
        $article = $this->articles->byId($host, $id);
        if ($article === null) {
            return $this->plain(['error' => "no article $id on $host"], 404);
        }
        $body = $this->body($request);
        $dialect = (string) ($body['dialect'] ?? 'roadiz');
        if (!isset(Gateway::DIALECTS[$dialect])) {
            return $this->plain(['error' => 'dialect is one of ' . implode(', ', array_keys(Gateway::DIALECTS))], 400);
        }
        $locale = ($body['locale'] ?? 'fr') === 'en' ? 'en' : 'fr';
        $fields = [];
        foreach (['title', 'body'] as $name) {
            if (isset($body[$name]) && is_string($body[$name])) {
                $fields["{$locale}_$name"] = $body[$name];
            }
        }
        $revision = $this->articles->publish($host, $id, $fields);
$this->search->index([$this->articles->byId($host, $id)]);
        $notify = (bool) ($body['notify'] ?? true);
        if ($notify) {
            $this->tell($article, $host, $dialect);
        }

        return $this->plain([
            'id' => $id,
            'revision' => $revision,
            'notified' => $notify,
            'paths' => ['fr' => "/fr/{$article['fr_slug']}", 'en' => "/en/{$article['en_slug']}"],
        ]);
    }

    public function publishArchive(Request $request): Response
    {
        $revision = $this->articles->publishArchive($request->getHost());
        if ($this->body($request)['notify'] ?? false) {
            $this->bus->dispatch(new TellCaches('xkey', $request->getHost(), '/fr/archive/1', ['archive'], []));
        }

        return $this->plain(['revision' => $revision]);
    }

    public function settings(Request $request): Response
    {
        if ($request->isMethod('POST')) {
            $gateway = $this->body($request)['gateway'] ?? null;
            if ($gateway !== null && !preg_match('#^http://[a-z0-9.-]+(:\d+)?$#', (string) $gateway)) {
                return $this->plain(['error' => 'gateway is http://host:port, or null for the configured one'], 400);
            }
            $this->articles->set('gateway', $gateway);
        }

        return $this->plain(['gateway' => $this->gateway->url(), 'notes' => $this->gateway->notes()]);
    }

    /** @param array<string, mixed> $article */
    private function tell(array $article, string $host, string $dialect): void
    {
        $this->bus->dispatch(new TellCaches(
            $dialect,
            $host,
            "/fr/{$article['fr_slug']}",
            ["article-{$article['id']}", 'list-articles'],
            ["/api/articles/{$article['id']}", '/api/articles'],
        ));
    }

    /** @return array<string, mixed> */
    private function body(Request $request): array
    {
        $body = json_decode($request->getContent() ?: '{}', true);

        return is_array($body) ? $body : [];
    }

    private function flash(Request $request): ?string
    {
        // Without the cookie there is no session to read, and asking would start one.
        return $request->hasPreviousSession() ? $request->getSession()->remove('flash') : null;
    }

    /** @param array<string, mixed> $values */
    private function html(string $template, array $values): Response
    {
        return $this->uncached(new Response($this->twig->render($template, $values)));
    }

    private function plain(mixed $body, int $status = 200): Response
    {
        return $this->uncached((new JsonResponse($body, $status))->setEncodingOptions(JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE));
    }

    private function uncached(Response $response): Response
    {
        $response->headers->set('Cache-Control', 'no-store, private');

        return $response;
    }
}
