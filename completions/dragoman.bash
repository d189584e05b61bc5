# Completion of dragoman for bash.
_dragoman()
{
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
    local command=${COMP_WORDS[1]}
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W "serve demo check test explain history new translate fmt upgrade certs --help --version" -- "$cur")
        return
    fi
    case $prev in
    --config | -c)
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        return
        ;;
    --pack | -p)
        mapfile -t COMPREPLY < <(compgen -d -- "$cur")
        return
        ;;
    --status | -s)
        mapfile -t COMPREPLY < <(compgen -W "200 201 400 404 409 422 500 503" -- "$cur")
        return
        ;;
    --listen | --upstream | --admin | --workers | --port | --admin-port | --backend-port | --from | --to | --endpoint | \
        --rounds | --seed | --ask | --header | --title)
        return
        ;;
    esac
    case $command in
    serve)
        mapfile -t COMPREPLY < <(compgen -W "--config --listen --upstream --pack --admin --workers --timeout --check --help" -- "$cur")
        ;;
    demo)
        mapfile -t COMPREPLY < <(compgen -W "--port --admin-port --backend-port --pack --help" -- "$cur")
        ;;
    certs)
        mapfile -t COMPREPLY < <(compgen -W "--help" -- "$cur"; compgen -d -- "$cur")
        ;;
    check)
        mapfile -t COMPREPLY < <(compgen -W "--json --losses --help" -- "$cur"; compgen -d -- "$cur")
        ;;
    test)
        mapfile -t COMPREPLY < <(compgen -W "--rounds --seed --own --verbose --json --help" -- "$cur"; compgen -d -- "$cur")
        ;;
    explain)
        mapfile -t COMPREPLY < <(compgen -W "--from --to --endpoint --request --response --status --verbose --program --ask --header --json --help" -- "$cur"; compgen -d -- "$cur")
        ;;
    history)
        mapfile -t COMPREPLY < <(compgen -W "--from --to --json --help" -- "$cur"; compgen -d -- "$cur")
        ;;
    new)
        mapfile -t COMPREPLY < <(compgen -W "--title --from --to --help" -- "$cur"; [ "$COMP_CWORD" -eq 2 ] && compgen -W "pack change" -- "$cur" || compgen -d -- "$cur")
        ;;
    fmt | upgrade)
        mapfile -t COMPREPLY < <(compgen -W "--check --help" -- "$cur"; compgen -d -- "$cur")
        ;;
    translate)
        mapfile -t COMPREPLY < <(compgen -W "--pack --from --to --endpoint --request --response --status --message --help" -- "$cur")
        ;;
    esac
}
complete -o filenames -F _dragoman dragoman
