<?php
declare(strict_types=1);

namespace Lab;

/** Articles in the database. What visitors get goes through Pages, which remembers. */
final class Articles
{
    public const LOCALES = ['fr', 'en'];
    private const FIELDS = ['fr_title', 'en_title', 'fr_body', 'en_body'];

    /** @return array<string, mixed>|null */
    public function site(string $host): ?array
    {
        return $this->one('SELECT * FROM site WHERE host = ?', [$host]);
    }

    /** @return list<array<string, mixed>> */
    public function all(string $host): array
    {
        $found = Database::connect()->prepare('SELECT * FROM article WHERE host = ? ORDER BY id DESC');
        $found->execute([$host]);

        return $found->fetchAll();
    }

    /** @return array<string, mixed>|null */
    public function byId(string $host, int $id): ?array
    {
        return $this->one('SELECT * FROM article WHERE host = ? AND id = ?', [$host, $id]);
    }

    /** @return array<string, mixed>|null */
    public function bySlug(string $host, string $locale, string $slug): ?array
    {
        $column = $locale === 'fr' ? 'fr_slug' : 'en_slug';

        return $this->one("SELECT * FROM article WHERE host = ? AND $column = ?", [$host, $slug]);
    }

    /** @param array<string, string> $fields */
    public function saveDraft(int $id, array $fields): void
    {
        Database::connect()->prepare('UPDATE article SET draft = ? WHERE id = ?')
            ->execute([json_encode($this->known($fields), JSON_THROW_ON_ERROR), $id]);
    }

    /** @param array<string, string> $fields @return int the new revision */
    public function publish(string $host, int $id, array $fields): int
    {
        $database = Database::connect();
        $database->beginTransaction();
        foreach ($this->known($fields) as $name => $value) {
            $database->prepare("UPDATE article SET $name = ? WHERE id = ?")->execute([$value, $id]);
        }
        $database->prepare('UPDATE article SET revision = revision + 1, draft = NULL, published_at = UTC_TIMESTAMP() WHERE id = ?')->execute([$id]);
        $database->prepare('UPDATE site SET revision = revision + 1 WHERE host = ?')->execute([$host]);
        $database->commit();

        return (int) $this->one('SELECT revision FROM article WHERE id = ?', [$id])['revision'];
    }

    public function publishArchive(string $host): int
    {
        Database::connect()->prepare('UPDATE site SET archive_revision = archive_revision + 1 WHERE host = ?')->execute([$host]);

        return (int) $this->one('SELECT archive_revision FROM site WHERE host = ?', [$host])['archive_revision'];
    }

    public function setting(string $name): ?string
    {
        $row = $this->one('SELECT value FROM setting WHERE name = ?', [$name]);

        return $row === null ? null : (string) $row['value'];
    }

    public function set(string $name, ?string $value): void
    {
        $value === null
            ? Database::connect()->prepare('DELETE FROM setting WHERE name = ?')->execute([$name])
            : Database::connect()->prepare('REPLACE INTO setting (name, value) VALUES (?, ?)')->execute([$name, $value]);
    }

    /** @param array<string, string> $fields @return array<string, string> */
    private function known(array $fields): array
    {
        return array_intersect_key($fields, array_flip(self::FIELDS));
    }

    /** @param list<mixed> $values @return array<string, mixed>|null */
    private function one(string $sql, array $values): ?array
    {
        $found = Database::connect()->prepare($sql);
        $found->execute($values);
        $row = $found->fetch();

        return $row === false ? null : $row;
    }
}
