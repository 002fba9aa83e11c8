from tabiji.cli import main

main()
