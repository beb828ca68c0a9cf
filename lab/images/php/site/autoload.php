<?php
// Debian's Symfony packages bring an autoloader each; the site's own classes are in src/.
declare(strict_types=1);

const PACKAGES = [
    'Symfony/Bundle/FrameworkBundle', 'Symfony/Bundle/TwigBundle', 'Symfony/Component/Messenger',
    'Symfony/Component/Messenger/Bridge/Redis', 'Symfony/Component/HttpClient', 'Symfony/Component/Console',
    'Symfony/Component/Serializer', 'Symfony/Component/PropertyAccess', 'Twig',
];
foreach (PACKAGES as $package) {
    require_once "/usr/share/php/$package/autoload.php";
}
spl_autoload_register(static function (string $class): void {
    if (str_starts_with($class, 'Lab\\')) {
        require __DIR__ . '/src/' . strtr(substr($class, 4), '\\', '/') . '.php';
    }
});
