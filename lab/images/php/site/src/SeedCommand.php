<?php
declare(strict_types=1);

namespace Lab;

use Symfony\Component\Console\Attribute\AsCommand;
use Symfony\Component\Console\Command\Command;
use Symfony\Component\Console\Input\InputInterface;
use Symfony\Component\Console\Output\OutputInterface;

/** Tables and articles, the same on every machine. Two containers may run it at once. */
#[AsCommand('lab:seed', 'Creates the tables and the articles when they are not there')]
final class SeedCommand extends Command
{
    protected function execute(InputInterface $input, OutputInterface $output): int
    {
        for ($try = 0; ; ++$try) {
            try {
                $database = Database::connect();
                break;
            } catch (\PDOException $error) {
                if ($try >= 120) {
                    throw $error;
                }
                usleep(500_000);
            }
        }
        $database->query("SELECT GET_LOCK('lab-seed', 60)")->fetchAll();
        $database->exec('CREATE TABLE IF NOT EXISTS site (host VARCHAR(100) PRIMARY KEY, name VARCHAR(100) NOT NULL, revision INT NOT NULL, archive_revision INT NOT NULL)');
        $database->exec('CREATE TABLE IF NOT EXISTS setting (name VARCHAR(50) PRIMARY KEY, value VARCHAR(500) NOT NULL)');
        $database->exec('CREATE TABLE IF NOT EXISTS article (id INT PRIMARY KEY, host VARCHAR(100) NOT NULL, revision INT NOT NULL,
            published_at DATETIME NOT NULL, fr_slug VARCHAR(190) NOT NULL, en_slug VARCHAR(190) NOT NULL,
            fr_title VARCHAR(250) NOT NULL, en_title VARCHAR(250) NOT NULL, fr_body TEXT NOT NULL, en_body TEXT NOT NULL,
            draft TEXT NULL, UNIQUE (host, fr_slug), UNIQUE (host, en_slug))');
        if ((int) $database->query('SELECT COUNT(*) FROM site')->fetchColumn() === 0) {
            $database->beginTransaction();
            foreach (Seeds::sites() as $host => $site) {
                $database->prepare('INSERT INTO site VALUES (?, ?, ?, ?)')->execute([$host, $site['name'], 300, 10]);
                $insert = $database->prepare('INSERT INTO article (id, host, revision, published_at, fr_slug, en_slug, fr_title, en_title, fr_body, en_body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
                foreach (Seeds::articles($host) as $article) {
                    $insert->execute([$article['id'], $host, 95 + $article['id'] % 40, $article['publishedAt'], $article['slug']['fr'], $article['slug']['en'], $article['title']['fr'], $article['title']['en'], $article['body']['fr'], $article['body']['en']]);
                }
            }
            $database->commit();
        }
        $database->query("SELECT RELEASE_LOCK('lab-seed')")->fetchAll();

        return Command::SUCCESS;
    }
}
