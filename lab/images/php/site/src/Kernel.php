<?php
declare(strict_types=1);

namespace Lab;

use Symfony\Bundle\FrameworkBundle\FrameworkBundle;
use Symfony\Bundle\FrameworkBundle\Kernel\MicroKernelTrait;
use Symfony\Bundle\TwigBundle\TwigBundle;
use Symfony\Component\DependencyInjection\Loader\Configurator\ContainerConfigurator;
use Symfony\Component\DependencyInjection\Reference;
use Symfony\Component\HttpFoundation\Session\Storage\Handler\RedisSessionHandler;
use Symfony\Component\HttpKernel\Kernel as BaseKernel;
use Symfony\Component\Routing\Loader\Configurator\RoutingConfigurator;

final class Kernel extends BaseKernel
{
    use MicroKernelTrait;

    public function registerBundles(): iterable
    {
        return [new FrameworkBundle(), new TwigBundle()];
    }

    public function getProjectDir(): string
    {
        return dirname(__DIR__);
    }

    private function configureContainer(ContainerConfigurator $container): void
    {
        $container->extension('framework', [
            'secret' => '%env(APP_SECRET)%',
            'http_method_override' => false,
            'router' => ['utf8' => true],
            'session' => [
                'handler_id' => RedisSessionHandler::class,
                'cookie_path' => '/admin',
                'cookie_samesite' => 'lax',
                'name' => 'PHPSESSID',
            ],
            'http_client' => true,
            'php_errors' => ['log' => true],
            'messenger' => [
                'transports' => [
                    'async' => [
                        'dsn' => '%env(MESSENGER_TRANSPORT_DSN)%',
                        'options' => ['delete_after_ack' => true, 'stream_max_entries' => 10000],
                        // A gateway that restarts is back within this; one that is down for an hour is not forgotten quickly.
                        'retry_strategy' => ['max_retries' => 12, 'delay' => 500, 'multiplier' => 2, 'max_delay' => 60000],
                    ],
                ],
                'routing' => [TellCaches::class => 'async'],
            ],
        ]);
        $container->extension('twig', ['default_path' => '%kernel.project_dir%/templates', 'strict_variables' => true]);

        $container->parameters()->set('env(APP_SECRET)', 'only-for-building');
        $container->parameters()->set('env(MESSENGER_TRANSPORT_DSN)', 'redis://redis:6379/messages');

        $services = $container->services();
        $services->defaults()->autowire()->autoconfigure();
        $services->set(\Redis::class, \Redis::class)->factory([Redis::class, 'connect']);
        $services->set(RedisSessionHandler::class)->args([new Reference(\Redis::class), ['ttl' => 3600]]);
        $services->set(Articles::class);
        $services->set(Pages::class);
        $services->set(Gateway::class);
        $services->set(Search::class);
        $services->set(IndexCommand::class);
        $services->set(TrailingSlash::class);
        $services->set(WorkerPulse::class);
        $services->set(TellCachesHandler::class);
        $services->set(SeedCommand::class);
        $services->set(SiteController::class)->tag('controller.service_arguments')->public();
        $services->set(ApiController::class)->tag('controller.service_arguments')->public();
        $services->set(AdminController::class)->tag('controller.service_arguments')->public();
    }

    private function configureRoutes(RoutingConfigurator $routes): void
    {
        $add = static fn (string $name, string $path, string $action, string $methods = 'GET|HEAD', array $needs = []) => $routes
            ->add($name, $path)->controller($action)->methods(explode('|', $methods))->requirements($needs);

        $add('admin', '/admin', AdminController::class . '::index');
        $add('admin_json', '/admin/articles.json', AdminController::class . '::json');
        $add('admin_settings', '/admin/settings', AdminController::class . '::settings', 'GET|POST');
        $add('admin_archive', '/admin/archive/publish', AdminController::class . '::publishArchive', 'POST');
        $add('admin_article', '/admin/articles/{id}', AdminController::class . '::edit', 'GET|POST', ['id' => '\d+']);
        $add('admin_publish', '/admin/articles/{id}/publish', AdminController::class . '::publish', 'POST', ['id' => '\d+']);
        $add('api_web_response', '/api/web_response_by_path', ApiController::class . '::webResponse');
        $add('api_common', '/api/common_content', ApiController::class . '::common');
        $add('api_article', '/api/articles/{id}', ApiController::class . '::article', 'GET|HEAD', ['id' => '\d+']);
        $add('health', '/health', ApiController::class . '::health');
        $add('sitemap', '/sitemap.xml', SiteController::class . '::sitemap');
        $add('media', '/media/{name}', SiteController::class . '::media', 'GET|HEAD', ['name' => '[a-z0-9-]+\.(svg|txt)']);
        $add('root', '/', SiteController::class . '::root');
        $add('search', '/{_locale}/{word}', SiteController::class . '::search', 'GET|HEAD', ['_locale' => 'fr|en', 'word' => 'recherche|search']);
        $add('page', '/{_locale}{rest}', SiteController::class . '::page', 'GET|HEAD', ['_locale' => 'fr|en', 'rest' => '(/.*)?']);
    }
}
